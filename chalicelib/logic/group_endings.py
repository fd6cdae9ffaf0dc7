"""How groups end: for a deleted account, and what is left of those that were dismissed.

Every step may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    GroupNotFoundError,
    NotFoundError,
    OwnerMustTransferError,
    UnavailableError,
)
from chalicelib.logic.group_members import GroupMemberService
from chalicelib.logic.groups import GroupService
from chalicelib.models import ConversationMember, Group, JoinRequest, Role

PAGE = 100  # rows of a dismissed group that go in one step
_ROSTER_PAGE = 1000
_ATTEMPTS = 5


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


class Members(Protocol):
    """The stored rows of members."""

    def page(
        self, conversation_id: str, *, start: str | None, limit: int
    ) -> tuple[Sequence[ConversationMember], str | None]: ...
    def remove(self, pairs: Iterable[tuple[str, str]]) -> None: ...


class Requests(Protocol):
    """The stored requests to join."""

    def requests(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[Sequence[JoinRequest], str | None]: ...
    def withdraw(self, group_id: str, user_id: str) -> bool: ...


class Pointers(Protocol):
    """The stored pointers to missed messages."""

    def remove(self, pairs: Iterable[tuple[str, str]]) -> None: ...


class GroupEndings:
    """Takes users out of groups, and removes what dismissed groups leave behind."""

    def __init__(
        self,
        *,
        services: tuple[GroupService, GroupMemberService],
        groups: Groups,
        members: Members,
        requests: Requests,
        pointers: Pointers,
    ) -> None:
        self._service, self._member_service = services
        self._groups = groups
        self._members = members
        self._requests = requests
        self._pointers = pointers

    def leave(self, ctx: Context, user_id: str, group_ids: Iterable[str]) -> None:
        """Takes a user out of groups; what they own gets another owner first.

        That is the admin who has been there longest, else the member; a group of nobody else is
        dismissed.

        Raises:
            UnavailableError: Others keep changing a group; or Kafka has not taken a system line.
        """
        for group_id in group_ids:
            self._leave(ctx, user_id, group_id)

    def clear(self, group_id: str) -> bool:
        """Removes some rows of a dismissed group; False when none were left."""
        group = self._groups.get_groups((group_id,)).get(group_id)
        if group is None or not group.dismissed:
            return False
        rows, _ = self._members.page(group_id, start=None, limit=PAGE)
        self._pointers.remove((row.user_id, group_id) for row in rows)
        self._members.remove((group_id, row.user_id) for row in rows)
        requests, _ = self._requests.requests(group_id, start=None, limit=PAGE)
        for request in requests:
            self._requests.withdraw(group_id, request.user_id)
        return bool(rows or requests)

    def _leave(self, ctx: Context, user_id: str, group_id: str) -> None:
        for _ in range(_ATTEMPTS):
            try:
                self._member_service.leave(ctx, user_id, group_id)
            except OwnerMustTransferError:
                self._hand_over(ctx, user_id, group_id)
            except GroupNotFoundError:  # dismissed: nobody reads with this row any more
                self._members.remove(((group_id, user_id),))
                return
            else:
                return
        raise UnavailableError("others keep changing this group")

    def _hand_over(self, ctx: Context, user_id: str, group_id: str) -> None:
        heir_id = self._heir(user_id, group_id)
        if heir_id is None:
            self._service.dismiss(ctx, user_id, group_id, only_if_alone=True)
            return
        try:
            self._service.transfer(ctx, user_id, group_id, heir_id)
        except NotFoundError:
            return  # has left meanwhile: there may be another one

    def _heir(self, user_id: str, group_id: str) -> str | None:
        best: tuple[bool, int, str] | None = None
        start: str | None = None
        while True:
            rows, start = self._members.page(group_id, start=start, limit=_ROSTER_PAGE)
            for row in rows:
                rank = (row.role is not Role.ADMIN, row.joined_seq, row.user_id)
                if row.user_id != user_id and (best is None or rank < best):
                    best = rank
            if start is None:
                return best[2] if best else None
