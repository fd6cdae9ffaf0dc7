"""What a message may have beside its content: reply, mentions, a copy of another one, an end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from chalicelib.change_frames import ALL, DraftOptions, Source
from chalicelib.errors import ForbiddenError, MessageNotFoundError
from chalicelib.frame_fields import invalid
from chalicelib.logic.changes import Groups
from chalicelib.logic.overlay import is_gone
from chalicelib.logic.policies import MessagePolicy
from chalicelib.logic.reading import ReadableMessages
from chalicelib.models import (
    WORLD,
    Attachment,
    ContentType,
    ConversationMember,
    Role,
    direct_members,
    is_group,
    rfc3339,
    unix_seconds,
)


class Places(Protocol):
    """The stored places of members."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...


class Directory(Protocol):
    """Who exists."""

    def exists(self, user_id: str) -> bool: ...


class OptionService:
    """Turns the optional members of a draft into those of a message."""

    def __init__(
        self,
        *,
        groups: Groups,
        places: Places,
        directory: Directory,
        messages: ReadableMessages,
        attach: Callable[[str, str], Attachment],
        policy: Callable[[], MessagePolicy],
    ) -> None:
        self._groups = groups
        self._places = places
        self._directory = directory
        self._messages = messages
        self._attach = attach
        self._policy = policy

    def members(
        self, user_id: str, conversation_id: str, options: DraftOptions, created_at: str
    ) -> dict[str, Any]:
        """What the message has beside, and in place of, what the draft says itself.

        Raises:
            InvalidFieldError: ``reply_to`` or ``mentions`` is not of this conversation, or the
                attachment is no upload of the user.
            ForbiddenError: The user may not mention everybody.
            MessageNotFoundError: There is no such message to be forwarded.
            ConversationNotFoundError, NotMemberError: The user may not read where it is from.
            NotUploadedError: The attachment is not in the bucket.
        """
        found: dict[str, Any] = {}
        if options.forward_of is not None:
            found |= self._forwarded(user_id, options.forward_of)
        if options.reply_to is not None:
            found["reply_to"] = self._replied_to(user_id, conversation_id, options.reply_to)
        if options.mentions:
            self._require_mentionable(user_id, conversation_id, options.mentions)
            found["mentions"] = list(options.mentions)
        if options.expires_in is not None:
            found["expires_at"] = rfc3339(unix_seconds(created_at) + options.expires_in)
        if options.attachment:
            found["attachment"] = self._attach(user_id, options.attachment).body()
        return found

    def _replied_to(self, user_id: str, conversation_id: str, seq: int) -> dict[str, Any]:
        """A reference without the content: what is recalled later must not live on here."""
        body = self._message(user_id, conversation_id, seq)
        if body is None:
            raise invalid("reply_to", "expected the seq of a message of this conversation")
        return {"seq": seq, "id": body["id"], "sender_id": body["sender_id"]}

    def _forwarded(self, user_id: str, source: Source) -> dict[str, Any]:
        body = self._message(user_id, source.conversation_id, source.seq)
        if body is None or body["type"] == ContentType.SYSTEM:
            raise MessageNotFoundError("forward_of: there is no such message")
        origin = {"sender_id": body["sender_id"], "created_at": body["created_at"]}
        copied: dict[str, Any] = {
            name: body[name] for name in ("type", "content", "attachment") if name in body
        }
        # Where it was first written; not in which conversation, which is nobody else's business.
        return {**copied, "forwarded_from": body.get("forwarded_from", origin)}

    def _message(self, user_id: str, conversation_id: str, seq: int) -> dict[str, Any] | None:
        """A message that the user may read and that has a content."""
        try:
            body = self._messages.one(user_id, conversation_id, seq)
        except MessageNotFoundError:
            return None
        return None if is_gone(body) else body

    def _require_mentionable(
        self, user_id: str, conversation_id: str, mentions: tuple[str, ...]
    ) -> None:
        if ALL in mentions:
            self._require_may_mention_all(user_id, conversation_id)
        elif conversation_id == WORLD:
            if not all(map(self._directory.exists, mentions)):
                raise invalid("mentions", "expected users who exist")
        elif is_group(conversation_id):
            if len(self._places.get((conversation_id, one) for one in mentions)) < len(mentions):
                raise invalid("mentions", "expected members of the group")
        elif not set(mentions) <= set(direct_members(conversation_id) or ()):
            raise invalid("mentions", "expected the other user")

    def _require_may_mention_all(self, user_id: str, conversation_id: str) -> None:
        if conversation_id == WORLD:
            raise ForbiddenError("mentions: nobody mentions everybody here")
        if is_group(conversation_id) and not self._policy().members_may_mention_all:
            role = self._groups.member(user_id, conversation_id).role
            if role is Role.MEMBER:
                raise ForbiddenError("mentions: only owner and admins mention everybody")
