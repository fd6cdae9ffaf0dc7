"""Messages that are sent later: exactly once, if their sender may still write there by then.

A message and the command that has it sent are written together. The command may come again, after
a crash for example: the message is claimed first, so that nobody cancels it any more, and its id
comes from its ``client_msg_id``, so that sending it twice stores it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    ConflictError,
    IMError,
    LimitReachedError,
    NotFoundError,
    UnavailableError,
)
from chalicelib.frame_fields import invalid
from chalicelib.frames import Draft, Rejected, parse_draft
from chalicelib.logic.friends import Tell
from chalicelib.logic.messages import Accepted
from chalicelib.logic.policies import SchedulePolicy
from chalicelib.models import ScheduledMessage, ScheduledStatus, rfc3339

MAX_AHEAD_SECONDS = 366 * 86_400
SENT_SECONDS = 7 * 86_400  # as long as a repeated command might come
FAILED_SECONDS = 30 * 86_400
_ATTEMPTS = 10  # a user's own writes at the same moment


class ScheduledMessages(Protocol):
    """The stored messages; each write is refused where somebody else was faster."""

    def add(self, message: ScheduledMessage, record: bytes, *, max_pending: int) -> bool: ...
    def get(self, user_id: str, scheduled_id: str) -> ScheduledMessage | None: ...
    def pending(self, user_id: str) -> int: ...
    def claim(self, message: ScheduledMessage) -> bool: ...
    def finish(self, message: ScheduledMessage, *, expires_at: float) -> None: ...
    def remove(self, message: ScheduledMessage) -> bool: ...


class Messages(Protocol):
    """Takes messages in."""

    def send_message(
        self, ctx: Context, user_id: str, drafts: Sequence[Draft | Rejected]
    ) -> Sequence[Accepted | Rejected]: ...


class ScheduledMessageService:
    """Schedules, cancels and sends messages (requirement APP-14)."""

    def __init__(
        self,
        *,
        scheduled: ScheduledMessages,
        messages: Messages,
        check: Callable[[str, Draft], object],
        require_sender: Callable[[str], object],
        record: Callable[[Context, str, str], bytes],
        tell: Tell,
        policy: Callable[[], SchedulePolicy],
        clock: Callable[[], float],
    ) -> None:
        self._scheduled = scheduled
        self._messages = messages
        self._check = check
        self._require_sender = require_sender
        self._record = record
        self._tell = tell
        self._policy = policy
        self._clock = clock

    def schedule(
        self, ctx: Context, user_id: str, draft: Mapping[str, Any], deliver_at: float, unique: str
    ) -> ScheduledMessage:
        """Has a message sent at a time (Unix seconds); with the same ``unique`` it is the same one.

        Raises:
            InvalidFieldError, TooLargeError: The draft is wrong, or the time.
            LimitReachedError: Too many of the user's wait.
            IMError: The user may not send it now; see `Access.resolve` and `OptionService`.
        """
        now = self._clock()
        if not now <= deliver_at <= now + MAX_AHEAD_SECONDS:
            raise invalid("deliver_at", "expected a time from now on, within 366 days")
        self._check(user_id, parse_draft(draft))
        message = ScheduledMessage(
            id=f"{int(deliver_at * 1000):013d}-{unique}",
            user_id=user_id,
            draft=draft,
            deliver_at=deliver_at,
            created_at=now,
        )
        record = self._record(ctx, user_id, message.id)
        most = self._policy().max_pending
        for _ in range(_ATTEMPTS):
            if self._scheduled.add(message, record, max_pending=most):
                return message
            if stored := self._scheduled.get(user_id, message.id):
                return stored
            if self._scheduled.pending(user_id) >= most:
                raise LimitReachedError(f"{most} messages wait already: cancel one")
        raise UnavailableError("other messages are being scheduled", retry_after=1.0)

    def cancel(self, user_id: str, scheduled_id: str) -> None:
        """Cancels a message, or forgets one that failed.

        Raises:
            NotFoundError: There is no such message.
            ConflictError: It was sent, or is just being sent.
        """
        for _ in range(_ATTEMPTS):
            message = self._scheduled.get(user_id, scheduled_id)
            if message is None:
                raise NotFoundError("there is no such scheduled message")
            if message.status in (ScheduledStatus.SENDING, ScheduledStatus.SENT):
                raise ConflictError("the message was sent")
            if self._scheduled.remove(message):
                return
        raise UnavailableError("other messages are being scheduled", retry_after=1.0)

    def send(self, ctx: Context, user_id: str, scheduled_id: str) -> None:
        """Sends a message that is due; again, it does nothing more.

        Raises:
            UnavailableError: It is to be tried again.
        """
        message = self._scheduled.get(user_id, scheduled_id)
        if message is None or message.status in (ScheduledStatus.SENT, ScheduledStatus.FAILED):
            return
        if message.status is ScheduledStatus.PENDING and not self._scheduled.claim(message):
            raise UnavailableError("the message is being cancelled, or others are")
        try:
            self._require_sender(user_id)
            (result,) = self._messages.send_message(ctx, user_id, [parse_draft(message.draft)])
        except UnavailableError:
            raise
        except IMError as error:
            self._fail(message, error)
            return
        if isinstance(result, Rejected):
            self._fail(message, result.error)
            return
        sent = replace(message, status=ScheduledStatus.SENT, draft={})
        self._scheduled.finish(sent, expires_at=self._clock() + SENT_SECONDS)

    def _fail(self, message: ScheduledMessage, error: IMError) -> None:
        failed = replace(message, status=ScheduledStatus.FAILED, code=error.code, reason=str(error))
        self._scheduled.finish(failed, expires_at=self._clock() + FAILED_SECONDS)
        data = {
            "id": message.id,
            "conversation_id": message.draft["conversation_id"],
            "deliver_at": rfc3339(message.deliver_at),
            "code": error.code,
            "message": str(error),
        }
        self._tell((message.user_id,), "scheduled_message.failed", data)
