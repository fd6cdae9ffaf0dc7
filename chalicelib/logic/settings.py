"""What a user wants of a conversation: silence, a place at the top, a draft kept, not to see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import TooLargeError
from chalicelib.frames import MAX_CONTENT_BYTES
from chalicelib.logic.access import Access
from chalicelib.logic.friends import Tell
from chalicelib.models import FOREVER, ConversationSettings, Head, rfc3339


class Heads(Protocol):
    """Where conversations end."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class Settings(Protocol):
    """The stored settings."""

    def change(
        self, user_id: str, conversation_id: str, changes: Mapping[str, Any]
    ) -> ConversationSettings: ...


class SettingsService:
    """Changes settings; the user's other devices are told.

    Every method raises ConversationNotFoundError or NotMemberError where the user is not in the
    conversation.
    """

    def __init__(
        self,
        *,
        access: Access,
        heads: Heads,
        settings: Settings,
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._access = access
        self._heads = heads
        self._settings = settings
        self._tell = tell
        self._clock = clock

    def change(
        self, user_id: str, conversation_id: str, changes: Mapping[str, Any]
    ) -> ConversationSettings:
        """Changes some of ``muted_until`` and ``pinned``."""
        self._access.check(user_id, conversation_id)
        settings = self._settings.change(user_id, conversation_id, changes)
        self._tell((user_id,), "settings.changed", self.shown(settings))
        return settings

    def save_draft(self, user_id: str, conversation_id: str, content: str) -> ConversationSettings:
        """Keeps what the user has begun to write; nothing removes the draft.

        Raises:
            TooLargeError: It is longer than a message may be.
        """
        if len(content.encode()) > MAX_CONTENT_BYTES:
            raise TooLargeError(f"content: expected at most {MAX_CONTENT_BYTES} bytes of UTF-8")
        self._access.check(user_id, conversation_id)
        at = rfc3339(self._clock())
        changes = {"draft": content, "draft_at": at}
        settings = self._settings.change(user_id, conversation_id, changes)
        news = {"conversation_id": conversation_id, "content": content, "updated_at": at}
        self._tell((user_id,), "draft.changed", news)
        return settings

    def hide(self, user_id: str, conversation_id: str) -> None:
        """Takes a conversation from the user's list, until its next message."""
        self._access.check(user_id, conversation_id)
        head = self._heads.get_conversations((conversation_id,)).get(conversation_id)
        last_seq = head.last_seq if head else 0
        self._settings.change(user_id, conversation_id, {"hidden_seq": last_seq})
        news = {"conversation_id": conversation_id, "last_seq": last_seq}
        self._tell((user_id,), "conversation.hidden", news)

    def show(self, user_id: str, conversation_id: str) -> None:
        """Takes that back."""
        self._settings.change(user_id, conversation_id, {"hidden_seq": -1})

    def shown(self, settings: ConversationSettings) -> dict[str, Any]:
        """Settings as clients see them: a mute without an end has no ``muted_until``."""
        muted = self.is_muted(settings)
        ends = muted and settings.muted_until < FOREVER
        return {
            "conversation_id": settings.conversation_id,
            "muted": muted,
            "muted_until": rfc3339(settings.muted_until) if ends else None,
            "pinned": settings.pinned,
        }

    def is_muted(self, settings: ConversationSettings) -> bool:
        """Whether nothing of the conversation is to make a noise now."""
        return settings.muted_until > self._clock()
