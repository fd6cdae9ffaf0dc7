"""How far each member of a conversation has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from chalicelib.errors import ForbiddenError, InvalidQueryError
from chalicelib.logic.access import Access
from chalicelib.models import (
    LARGE_GROUP,
    WORLD,
    AckStatus,
    ConversationMember,
    Group,
    direct_members,
)


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


class Members(Protocol):
    """The stored places of members."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...
    def page(
        self, conversation_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ConversationMember], str | None]: ...


class PlaceService:
    """Lists places; nobody looks at each of a crowd."""

    def __init__(self, *, access: Access, groups: Groups, members: Members) -> None:
        self._access = access
        self._groups = groups
        self._members = members

    def page(
        self, user_id: str, conversation_id: str, *, seq: int | None, start: str | None, limit: int
    ) -> tuple[list[ConversationMember], str | None]:
        """The others who could see a message, or all others, in order of their ids.

        Returns:
            A page, and with whom the next one starts.

        Raises:
            ConversationNotFoundError, NotMemberError: The user is not in it.
            ForbiddenError: It is the world room, or a large group.
            InvalidQueryError: The message is of the time before the user joined.
        """
        beginning = self._access.beginning(user_id, conversation_id)
        if seq is not None and seq <= beginning:
            raise InvalidQueryError("seq: expected a message that you can read")
        if pair := direct_members(conversation_id):
            (other,) = set(pair) - {user_id}
            row = ConversationMember(conversation_id=conversation_id, user_id=other)
            key = (conversation_id, other)
            return [self._members.get((key,)).get(key, row)], None
        group = self._groups.get_groups((conversation_id,)).get(conversation_id)
        if conversation_id == WORLD or (group and group.large):
            raise ForbiddenError(
                f"places: expected a group that never had more than {LARGE_GROUP} members"
            )
        rows, position = self._members.page(conversation_id, start=start, limit=limit)
        seen = [row for row in rows if seq is None or row.joined_seq < seq]
        return [row for row in seen if row.user_id != user_id], position


def reached(row: ConversationMember, seq: int) -> AckStatus | None:
    """How far a member has come with one message."""
    if row.read_seq >= seq:
        return AckStatus.READ
    return AckStatus.DELIVERED if row.delivered_seq >= seq else None
