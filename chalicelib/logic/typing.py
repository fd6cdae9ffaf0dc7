"""Telling others that somebody writes.

Worth nothing a moment later: so it goes from one connection to the others without Kafka, which
would keep it for hours and put it behind messages, and whatever goes wrong is not made good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.frames import Draft, dump
from chalicelib.logic.access import Access
from chalicelib.logic.audiences import Audience
from chalicelib.logic.receipts import SMALL
from chalicelib.models import WORLD, Connection, PushResult, Relation, direct_members

EACH_SECONDS = 3.0  # clients show it for somewhat longer
MAX_MEMBERS = 200  # in a larger group nobody is told
_MAX_ENTRIES = 10_000


class Relations(Protocol):
    """How users stand."""

    def get(self, one: str, other: str) -> Relation: ...


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class TypingService:
    """Pushes ``typing`` frames to the other members who are connected.

    In one process each user is told of once in `EACH_SECONDS` and conversation; above `SMALL`
    members only one user is, whoever comes first, so a group of 200 with a device each gets at
    most 199 pushes in that time, however many write.
    """

    def __init__(
        self,
        *,
        access: Access,
        relations: Relations,
        audiences: Audiences,
        connections: Connections,
        push: Push,
        clock: Callable[[], float],
    ) -> None:
        self._access = access
        self._relations = relations
        self._audiences = audiences
        self._connections = connections
        self._push = push
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def tell(self, user_id: str, conversation_id: str) -> None:
        """Tells the others, if it is time.

        Raises:
            IMError: The user may not write there.
        """
        if not self._is_time(user_id, conversation_id):
            return
        draft = Draft(client_msg_id="", content="", conversation_id=conversation_id)
        self._access.resolve(user_id, draft)
        if conversation_id == WORLD or self._is_blocked(conversation_id):
            return
        members = self._audiences.of((conversation_id,))[conversation_id].joined
        if len(members) > MAX_MEMBERS:
            return
        if len(members) > SMALL and not self._is_time("", conversation_id):
            return
        live = self._connections.live(one for one in members if one != user_id)
        frame = dump({"type": "typing", "conversation_id": conversation_id, "user_id": user_id})
        self._push.post_all({one.id: [frame] for group in live.values() for one in group})

    def _is_time(self, user_id: str, conversation_id: str) -> bool:
        key, now = (user_id, conversation_id), self._clock()
        if self._until.get(key, 0.0) > now:
            return False
        if len(self._until) >= _MAX_ENTRIES:
            self._until.clear()
        self._until[key] = now + EACH_SECONDS
        return True

    def _is_blocked(self, conversation_id: str) -> bool:
        """Whether one of two has blocked the other: neither is to see the other write."""
        pair = direct_members(conversation_id)
        return pair is not None and bool(self._relations.get(*pair).blocked_by)
