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


class Correspondence(Protocol):
    """Refuses messages of one user to another."""

    def require(self, user_id: str, other_id: str) -> None: ...


class Access:
    """Which conversation is meant, and whether the user may write to it and read it."""

    def __init__(self, directory: Directory, correspondence: Correspondence) -> None:
        self._directory = directory
        self._correspondence = correspondence

    def resolve(self, user_id: str, draft: Draft) -> tuple[str, ConversationType]:
        """The conversation a draft goes to.

        Raises:
            SelfError: To oneself.
            UserNotFoundError: ``to`` is nobody.
            BlockedError, NotFriendsError: The user may not write to the other one.
            ConversationNotFoundError, NotMemberError: As `check`.
        """
        if draft.to:
            if draft.to == user_id:
                raise SelfError("to: expected the id of another user")
            self._correspondence.require(user_id, draft.to)
            return direct_id(user_id, draft.to), ConversationType.DIRECT
        if draft.conversation_id == WORLD:
            return WORLD, ConversationType.WORLD
        try:
            self._correspondence.require(user_id, _other(user_id, draft.conversation_id))
        except UserNotFoundError as error:
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
        if not self._directory.exists(_other(user_id, conversation_id)):
            raise ConversationNotFoundError
        return ConversationType.DIRECT


def _other(user_id: str, conversation_id: str) -> str:
    members = direct_members(conversation_id)
    if members is None:
        raise ConversationNotFoundError
    if user_id not in members:
        raise NotMemberError
    return members[0] if members[1] == user_id else members[1]
