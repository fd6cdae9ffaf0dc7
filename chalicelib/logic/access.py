"""Who may write where, and read what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from chalicelib.errors import (
    ConversationNotFoundError,
    NotMemberError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.frames import Draft
from chalicelib.models import (
    WORLD,
    ConversationMember,
    ConversationType,
    direct_id,
    direct_members,
    is_group,
)


class Directory(Protocol):
    """Who exists."""

    def exists(self, user_id: str) -> bool: ...
    def existed(self, user_id: str) -> bool: ...


class Correspondence(Protocol):
    """Refuses messages of one user to another."""

    def require(self, user_id: str, other_id: str) -> None: ...


class Groups(Protocol):
    """Who may read and write in groups."""

    def member(self, user_id: str, group_id: str) -> ConversationMember: ...
    def require_writer(self, user_id: str, group_id: str) -> None: ...
    def readable(
        self, user_id: str, group_ids: Iterable[str]
    ) -> Mapping[str, ConversationMember]: ...


class Access:
    """Which conversation is meant, and whether the user may write to it and read it."""

    def __init__(
        self, directory: Directory, correspondence: Correspondence, groups: Groups
    ) -> None:
        self._directory = directory
        self._correspondence = correspondence
        self._groups = groups

    def resolve(self, user_id: str, draft: Draft) -> tuple[str, ConversationType]:
        """The conversation a draft goes to.

        Raises:
            SelfError: To oneself.
            UserNotFoundError: ``to``, or who else is in the conversation, is nobody any more.
            BlockedError, NotFriendsError: The user may not write to the other one.
            MutedError: The user may not write to the group now.
            ConversationNotFoundError, NotMemberError: As `check`.
        """
        if draft.to:
            if draft.to == user_id:
                raise SelfError("to: expected the id of another user")
            self._correspondence.require(user_id, draft.to)
            return direct_id(user_id, draft.to), ConversationType.DIRECT
        if draft.conversation_id == WORLD:
            return WORLD, ConversationType.WORLD
        if is_group(draft.conversation_id):
            self._groups.require_writer(user_id, draft.conversation_id)
            return draft.conversation_id, ConversationType.GROUP
        other = _other(user_id, draft.conversation_id)
        try:
            self._correspondence.require(user_id, other)
        except UserNotFoundError as error:
            if self._directory.existed(other):
                raise
            raise ConversationNotFoundError from error
        return draft.conversation_id, ConversationType.DIRECT

    def check(self, user_id: str, conversation_id: str) -> ConversationType:
        """The type of a conversation that the user is a member of, and so may read.

        Raises:
            ConversationNotFoundError: There is no such conversation.
            NotMemberError: The user is not in it.
        """
        if conversation_id == WORLD:
            return ConversationType.WORLD
        if is_group(conversation_id):
            self._groups.member(user_id, conversation_id)
            return ConversationType.GROUP
        if not self._directory.existed(_other(user_id, conversation_id)):
            raise ConversationNotFoundError
        return ConversationType.DIRECT

    def beginning(self, user_id: str, conversation_id: str) -> int:
        """After which number the user may read: in a group from joining on, elsewhere all.

        Raises:
            ConversationNotFoundError, NotMemberError: As `check`.
        """
        if is_group(conversation_id):
            return self._groups.member(user_id, conversation_id).joined_seq
        self.check(user_id, conversation_id)
        return 0

    def readable(self, user_id: str, cursors: Mapping[str, int]) -> dict[str, int]:
        """Cursors without those of groups that the user may not read, none before they joined."""
        groups = [key for key in cursors if is_group(key)]
        rows = self._groups.readable(user_id, groups) if groups else {}
        return {
            key: max(seq, rows[key].joined_seq) if key in rows else seq
            for key, seq in cursors.items()
            if key in rows or not is_group(key)
        }


def _other(user_id: str, conversation_id: str) -> str:
    members = direct_members(conversation_id)
    if members is None:
        raise ConversationNotFoundError
    if user_id not in members:
        raise NotMemberError
    return members[0] if members[1] == user_id else members[1]
