"""Conversations as their members see them: lists, unread counts, opening a direct one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.errors import NotMemberError, SelfError, UserNotFoundError
from chalicelib.logic.access import Access, Directory
from chalicelib.logic.messages import Reader
from chalicelib.models import (
    WORLD,
    ConversationMember,
    ConversationSettings,
    ConversationType,
    Group,
    Head,
    direct_id,
    direct_members,
    is_group,
    rfc3339,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A conversation with what one member has read of it.

    Attributes:
        last_message: The newest message as clients get it, or None.
        peer_id: The other user of a direct conversation.
        peer: How far that user has come.
        group: What a group is called, and more.
        settings: What the member wants of it.
    """

    head: Head
    member: ConversationMember
    peer: ConversationMember | None
    unread_count: int
    last_message: Mapping[str, Any] | None
    peer_id: str | None
    settings: ConversationSettings
    group: Group | None = None


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


class Heads(Protocol):
    """Where conversations end."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class Opened(Protocol):
    """The stored heads, which a conversation without messages has too."""

    def create_conversation(self, head: Head) -> bool: ...


class Memberships(Protocol):
    """The stored places of members."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...
    def of_user(self, user_id: str) -> list[ConversationMember]: ...
    def add(self, members: Sequence[ConversationMember]) -> None: ...


class Settings(Protocol):
    """What users want of their conversations."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationSettings]: ...
    def of_user(self, user_id: str) -> Mapping[str, ConversationSettings]: ...


class ConversationService:
    """Reads conversations, and opens direct ones."""

    def __init__(
        self,
        *,
        access: Access,
        directory: Directory,
        heads: Heads,
        opened: Opened,
        memberships: Memberships,
        groups: Groups,
        reader: Reader,
        new_place: Callable[[str, str], ConversationMember],
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        self._access = access
        self._directory = directory
        self._heads = heads
        self._opened = opened
        self._memberships = memberships
        self._groups = groups
        self._reader = reader
        self._new_place = new_place
        self._settings = settings
        self._clock = clock

    def open_direct(self, user_id: str, other_id: str) -> tuple[ConversationView, bool]:
        """The direct conversation of two users, and whether it was created by this call.

        Raises:
            SelfError: With oneself.
            UserNotFoundError: The other user does not exist.
        """
        if user_id == other_id:
            raise SelfError("user_id: expected the id of another user")
        if not self._directory.exists(other_id):
            raise UserNotFoundError("user_id: there is no such user")
        conversation_id = direct_id(user_id, other_id)
        created = self._opened.create_conversation(
            Head(
                id=conversation_id,
                type=ConversationType.DIRECT,
                created_at=rfc3339(self._clock()),
            )
        )
        rows = [self._new_place(conversation_id, one) for one in (user_id, other_id)]
        self._memberships.add(rows)
        return self.get(user_id, conversation_id), created

    def get(self, user_id: str, conversation_id: str) -> ConversationView:
        """One conversation.

        Raises:
            ConversationNotFoundError, NotMemberError: The user is not in it.
        """
        kind = self._access.check(user_id, conversation_id)
        head = self._heads.get_conversations((conversation_id,)).get(conversation_id)
        stored = self._settings.get(((user_id, conversation_id),))
        settings = {key: one for (_, key), one in stored.items()}
        found = self._views(user_id, [head or Head(id=conversation_id, type=kind)], settings)
        if not found:
            raise NotMemberError  # since it was checked
        return found[0]

    def all(self, user_id: str) -> list[ConversationView]:
        """A user's conversations, pinned ones first, then the one with the newest message.

        Those that they have hidden are left out until they have another message.
        """
        ids = [row.conversation_id for row in self._memberships.of_user(user_id)]
        heads = dict(self._heads.get_conversations([*ids, WORLD]))
        heads.setdefault(WORLD, Head(id=WORLD, type=ConversationType.WORLD))
        settings = self._settings.of_user(user_id)
        shown = [
            head
            for key, head in heads.items()
            if key not in settings or settings[key].hidden_seq < head.last_seq
        ]
        return sorted(self._views(user_id, shown, settings), key=position, reverse=True)

    def _views(
        self, user_id: str, heads: Sequence[Head], settings: Mapping[str, ConversationSettings]
    ) -> list[ConversationView]:
        """What a user sees; groups that they have left, or that are dismissed, are left out."""
        rows = self._memberships.get(
            (head.id, member) for head in heads for member in direct_members(head.id) or (user_id,)
        )
        ids = [head.id for head in heads if is_group(head.id)]
        groups = self._groups.get_groups(ids) if ids else {}
        views = []
        for head in heads:
            row, group = rows.get((head.id, user_id)), groups.get(head.id)
            if is_group(head.id) and (row is None or group is None or group.dismissed):
                continue
            row = row or self._new_place(head.id, user_id)
            peers = [one for one in direct_members(head.id) or () if one != user_id]
            views.append(
                ConversationView(
                    head=head,
                    member=row,
                    unread_count=unread(head, row),
                    last_message=self._last_message(head, row),
                    peer_id=peers[0] if peers else None,
                    peer=rows.get((head.id, peers[0])) if peers else None,
                    settings=settings.get(head.id) or ConversationSettings(conversation_id=head.id),
                    group=group,
                )
            )
        return views

    def _last_message(self, head: Head, row: ConversationMember) -> Mapping[str, Any] | None:
        if is_group(head.id) and head.last_seq <= row.joined_seq:
            return None  # of the time before they joined
        text = head.last
        if head.last_seq and (
            not text  # too long to stand in the head
            or head.changed_seq >= head.last_seq
            or '"expires_at"' in text
        ):
            newest = self._reader.before(row.user_id, head.id, head.last_seq + 1, 1)
            text = newest[0].text if newest else ""
        body: dict[str, Any] | None = json.loads(text) if text else None
        return body


def position(view: ConversationView) -> tuple[bool, str, str]:
    """Where a conversation stands in the list, which begins with the highest."""
    return view.settings.pinned, view.head.updated_at, view.head.id


def unread(head: Head, row: ConversationMember) -> int:
    """How many messages of others a member has not read: computed, never stored."""
    after = head.last_seq - row.read_seq
    if head.type is not ConversationType.DIRECT:
        return max(0, after - row.own)
    own = head.sent.get(row.user_id, 0) - row.own
    return max(0, after - own)
