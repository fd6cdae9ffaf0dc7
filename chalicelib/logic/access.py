"""Who may write where, and read what."""

from __future__ import annotations

from typing import Protocol

from chalicelib.errors import (
    ConversationNotFoundError,
    NotMemberError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.frames import Draft
from chalicelib.models import WORLD, ConversationType, direct_id, direct_members


class Directory(Protocol):
    """Who exists."""

    def exists(self, user_id: str) -> bool: ...


class Access:
    """Which conversation is meant, and whether the user may write to it and read it."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def resolve(self, user_id: str, draft: Draft) -> tuple[str, ConversationType]:
        """The conversation a draft goes to.

        Raises:
            SelfError: To oneself.
            UserNotFoundError: ``to`` is nobody.
            ConversationNotFoundError, NotMemberError: As `check`.
        """
        if not draft.to:
            return draft.conversation_id, self.check(user_id, draft.conversation_id)
        if draft.to == user_id:
            raise SelfError("to: expected the id of another user")
        if not self._directory.exists(draft.to):
            raise UserNotFoundError("to: there is no such user")
        return direct_id(user_id, draft.to), ConversationType.DIRECT

    def check(self, user_id: str, conversation_id: str) -> ConversationType:
        """The type of a conversation that the user is a member of.

        Raises:
            ConversationNotFoundError: There is no such conversation.
            NotMemberError: The user is not in it.
        """
        if conversation_id == WORLD:
            return ConversationType.WORLD
        members = direct_members(conversation_id)
        if members is None:
            raise ConversationNotFoundError
        if user_id not in members:
            raise NotMemberError
        other = members[0] if members[1] == user_id else members[1]
        if not self._directory.exists(other):
            raise ConversationNotFoundError
        return ConversationType.DIRECT
