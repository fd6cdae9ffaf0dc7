"""Pinned messages of a conversation, and messages that a user has removed for themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from chalicelib.errors import ForbiddenError, LimitReachedError, MessageNotFoundError
from chalicelib.logic.audiences import Audience
from chalicelib.logic.changes import Groups
from chalicelib.logic.friends import Tell
from chalicelib.logic.policies import MessagePolicy
from chalicelib.logic.reading import Beginnings, ReadableMessages
from chalicelib.models import WORLD, Pin, Placed, Role, Segment, is_group, rfc3339

MAX_PINS = 50  # of a conversation: they are listed at once


class Pins(Protocol):
    """The stored pins."""

    def pin(self, conversation_id: str, pin: Pin) -> bool: ...
    def unpin(self, conversation_id: str, seq: int) -> bool: ...
    def pins(self, conversation_id: str) -> list[Pin]: ...


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


class PinService:
    """Pins messages for everybody: in groups as the policy says, in direct conversations both."""

    def __init__(
        self,
        *,
        groups: Groups,
        messages: ReadableMessages,
        pins: Pins,
        audiences: Audiences,
        tell: Tell,
        policy: Callable[[], MessagePolicy],
        clock: Callable[[], float],
    ) -> None:
        self._groups = groups
        self._messages = messages
        self._pins = pins
        self._audiences = audiences
        self._tell = tell
        self._policy = policy
        self._clock = clock

    def pin(self, user_id: str, conversation_id: str, seq: int) -> None:
        """Pins a message; no fault where it is pinned.

        Raises:
            ForbiddenError: The user may not pin here.
            MessageNotFoundError: There is no such message.
            LimitReachedError: As many are pinned as may be.
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        self._messages.one(user_id, conversation_id, seq)
        self._require_may_pin(user_id, conversation_id)
        pinned = [one.seq for one in self._pins.pins(conversation_id)]
        if seq not in pinned and len(pinned) >= MAX_PINS:
            raise LimitReachedError(f"a conversation has at most {MAX_PINS} pinned messages")
        pin = Pin(seq=seq, pinned_by=user_id, pinned_at=rfc3339(self._clock()))
        if self._pins.pin(conversation_id, pin):
            self._announce(user_id, conversation_id, "message.pinned", seq)

    def unpin(self, user_id: str, conversation_id: str, seq: int) -> None:
        """Unpins a message; no fault where it is not pinned.

        Raises:
            ForbiddenError: The user may not pin here.
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        self._messages.some(user_id, conversation_id, ())
        self._require_may_pin(user_id, conversation_id)
        if self._pins.unpin(conversation_id, seq):
            self._announce(user_id, conversation_id, "message.unpinned", seq)

    def pinned(self, user_id: str, conversation_id: str) -> list[tuple[Pin, Placed]]:
        """The pinned messages that the user may read, the newest first.

        Raises:
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        pins = self._pins.pins(conversation_id)
        found = self._messages.some(user_id, conversation_id, (one.seq for one in pins))
        return [(one, found[one.seq]) for one in pins if one.seq in found]

    def _require_may_pin(self, user_id: str, conversation_id: str) -> None:
        if conversation_id == WORLD:
            raise ForbiddenError("nobody pins here")
        if not is_group(conversation_id) or self._policy().members_may_pin:
            return
        if self._groups.member(user_id, conversation_id).role is Role.MEMBER:
            raise ForbiddenError("only owner and admins pin here")

    def _announce(self, user_id: str, conversation_id: str, event: str, seq: int) -> None:
        """Tells the members; of a large group only who did it, the others see it when they look."""
        audience = self._audiences.of((conversation_id,))[conversation_id]
        users = (user_id,) if audience.large else tuple(audience.joined)
        data = {"conversation_id": conversation_id, "seq": seq, "user_id": user_id}
        self._tell(users, event, data)


class Log(Protocol):
    """The stored logs."""

    def containing(self, conversation_id: str, seq: int) -> Segment | None: ...
    def mark_changed(self, segment: Segment) -> None: ...


class Heads(Protocol):
    """The stored heads."""

    def mark_changed(self, conversation_id: str, seq: int) -> None: ...


class Hidden(Protocol):
    """What users want to see no more."""

    def hide(self, conversation_id: str, user_id: str, seq: int) -> None: ...


class HideService:
    """Removes messages for one user: for them a tombstone stays, for the others all of it."""

    def __init__(
        self,
        *,
        access: Beginnings,
        log: Log,
        heads: Heads,
        hidden: Hidden,
        hide_mention: Callable[[str, Placed], None],
        tell: Tell,
    ) -> None:
        self._access = access
        self._log = log
        self._heads = heads
        self._hidden = hidden
        self._hide_mention = hide_mention
        self._tell = tell

    def hide(self, user_id: str, conversation_id: str, seq: int) -> None:
        """Hides a message from a user, on all devices; no fault where it is hidden.

        Raises:
            MessageNotFoundError: There is no such message.
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        start = self._access.beginning(user_id, conversation_id)
        segment = self._log.containing(conversation_id, seq) if seq > start else None
        if segment is None:
            raise MessageNotFoundError
        # First the thing, then the marks that lead to it: a repetition makes good for a crash.
        self._hidden.hide(conversation_id, user_id, seq)
        self._log.mark_changed(segment)
        self._heads.mark_changed(conversation_id, seq)
        self._hide_mention(user_id, next(one for one in segment.messages if one.seq == seq))
        self._tell((user_id,), "message.deleted", {"conversation_id": conversation_id, "seq": seq})
