"""Blocks, and who may write to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from chalicelib.errors import (
    BlockedError,
    NotFriendsError,
    UnavailableError,
    UserNotFoundError,
)
from chalicelib.logic.access import Directory
from chalicelib.logic.friends import Tell
from chalicelib.logic.policies import MessagePolicy
from chalicelib.logic.relations import Change, Relations, change, require_other
from chalicelib.models import Relation

MAX_AGE_SECONDS = 4.0  # the contract: a block is in force for everyone within 5 s
_MAX_ENTRIES = 10_000


class BlockService:
    """Blocks and unblocks (requirement APP-6); nobody but the user's own devices is told."""

    def __init__(self, *, relations: Relations, directory: Directory, tell: Tell) -> None:
        self._relations = relations
        self._directory = directory
        self._tell = tell

    def block(self, user_id: str, other_id: str) -> None:
        """Blocks somebody; pending friend requests between the two go, a friendship stays.

        Raises:
            SelfError, UserNotFoundError: There is no such other user.
        """
        require_other(self._directory, user_id, other_id)

        def decide(old: Relation) -> Change | None:
            if user_id in old.blocked_by:
                return None
            return replace(old, blocked_by=old.blocked_by | {user_id}, requests={}), ()

        if change(self._relations, user_id, other_id, decide):
            self._tell((user_id,), "block.changed", {"user_id": other_id, "blocked": True})

    def unblock(self, user_id: str, other_id: str) -> None:
        """Ends a block; no fault where there is none."""

        def decide(old: Relation) -> Change | None:
            if user_id not in old.blocked_by:
                return None
            return replace(old, blocked_by=old.blocked_by - {user_id}), ()

        if user_id != other_id and change(self._relations, user_id, other_id, decide):
            self._tell((user_id,), "block.changed", {"user_id": other_id, "blocked": False})


class StoredRelations(Protocol):
    """How a user and another one stand; None when the other one does not exist."""

    def correspondent(self, user_id: str, other_id: str) -> Relation | None: ...


class Correspondence:
    """Who may write to whom; that one may is remembered, that one may not is asked again.

    So a refusal ends at once when its reason does, and a permission within `MAX_AGE_SECONDS`.
    While the store is away a permission stays: nobody can change it there, and Kafka alone has to
    take the message.
    """

    def __init__(
        self,
        relations: StoredRelations,
        policy: Callable[[], MessagePolicy],
        clock: Callable[[], float],
    ) -> None:
        self._relations = relations
        self._policy = policy
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def require(self, user_id: str, other_id: str) -> None:
        """Refuses a message of one user to another.

        Raises:
            UserNotFoundError: The other one does not exist.
            BlockedError: The other one has blocked the user; the reverse is no hindrance.
            NotFriendsError: They are no friends, and the policy wants that.
            UnavailableError: The store is away, and the user has not written to the other here.
        """
        pair = (user_id, other_id)
        now = self._clock()
        if self._until.get(pair, 0.0) > now:
            return
        try:
            relation = self._relations.correspondent(*pair)
        except UnavailableError:
            if pair in self._until:
                return
            raise
        self._until.pop(pair, None)
        if relation is None:
            raise UserNotFoundError("there is no such user")
        if relation.is_blocked(user_id):
            raise BlockedError
        if not relation.friends and not self._policy().strangers_may_write:
            raise NotFriendsError
        if len(self._until) >= _MAX_ENTRIES:
            self._until.clear()
        self._until[pair] = now + MAX_AGE_SECONDS
