"""Who may read and write in groups, as it is at this moment.

Each frame reads the group and the member's row strongly, in one call: a change is in force for
everybody at once, and nobody has to be told to forget a permission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from chalicelib.errors import (
    ConversationNotFoundError,
    MutedError,
    NotMemberError,
    UnavailableError,
)
from chalicelib.logic.group_rules import is_muted
from chalicelib.models import ConversationMember, Group, Standing, is_group

_MAX_ENTRIES = 10_000


class Groups(Protocol):
    """The stored groups."""

    def standings(self, user_id: str, group_ids: Iterable[str]) -> Mapping[str, Standing]: ...
    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


class Memberships(Protocol):
    """The stored rows of members."""

    def of_user(self, user_id: str) -> list[ConversationMember]: ...


class GroupAccess:
    """Lets members read, and write unless they are muted.

    While the store is away, who was let in here before may still write: nobody can change that
    there, and Kafka alone has to take the message.
    """

    def __init__(
        self, groups: Groups, memberships: Memberships, clock: Callable[[], float]
    ) -> None:
        self._groups = groups
        self._memberships = memberships
        self._clock = clock
        self._writers: set[tuple[str, str]] = set()

    def member(self, user_id: str, group_id: str) -> ConversationMember:
        """The row of a member, who may read the group from ``joined_seq`` on.

        Raises:
            ConversationNotFoundError: There is no such group.
            NotMemberError: The user is not in it, or it was dismissed.
        """
        return self._standing(user_id, group_id)[1]

    def require_writer(self, user_id: str, group_id: str) -> None:
        """Refuses a message.

        Raises:
            ConversationNotFoundError, NotMemberError: As `member`.
            MutedError: The member, or everybody, may not write now.
            UnavailableError: The store is away, and the user has not written to the group here.
        """
        pair = (user_id, group_id)
        try:
            group, row = self._standing(*pair)
        except UnavailableError:
            if pair in self._writers:
                return
            raise
        except (ConversationNotFoundError, NotMemberError):
            self._writers.discard(pair)
            raise
        now = self._clock()
        limits = {"muted_until": row.muted_until, "all_muted_until": group.muted_until}
        if is_muted(row.role, now=now, **limits):
            self._writers.discard(pair)
            raise MutedError(retry_after=max(limits.values()) - now)
        if len(self._writers) >= _MAX_ENTRIES:
            self._writers.clear()
        self._writers.add(pair)

    def readable(self, user_id: str, group_ids: Iterable[str]) -> dict[str, ConversationMember]:
        """The user's rows in those of the groups that they may read."""
        found = self._groups.standings(user_id, group_ids)
        return {
            key: standing.member
            for key, standing in found.items()
            if standing.member and not standing.group.dismissed
        }

    def large_groups(self, user_id: str) -> list[str]:
        """The large groups that a user is in: what was missed there has no pointers."""
        rows = self._memberships.of_user(user_id)
        ids = [row.conversation_id for row in rows if is_group(row.conversation_id)]
        groups = self._groups.get_groups(ids) if ids else {}
        return [key for key, group in groups.items() if group.large and not group.dismissed]

    def _standing(self, user_id: str, group_id: str) -> tuple[Group, ConversationMember]:
        standing = self._groups.standings(user_id, (group_id,)).get(group_id)
        if standing is None:
            raise ConversationNotFoundError
        if standing.member is None or standing.group.dismissed:
            raise NotMemberError
        return standing.group, standing.member
