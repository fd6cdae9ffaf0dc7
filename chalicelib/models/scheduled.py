"""Messages that are to be sent later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ScheduledStatus(StrEnum):
    """What has become of a scheduled message."""

    PENDING = "pending"
    SENDING = "sending"  # it can no longer be cancelled
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledMessage:
    """A message that waits for its time.

    Attributes:
        id: Begins with ``deliver_at``, so ids are in the order of delivery.
        draft: The members of a ``send`` frame.
        deliver_at: Unix seconds, as is ``created_at``.
        code: Why it was not sent.
        reason: The same for people.
    """

    id: str
    user_id: str
    draft: Mapping[str, Any] = field(default_factory=dict)
    deliver_at: float
    created_at: float
    status: ScheduledStatus = ScheduledStatus.PENDING
    code: str = ""
    reason: str = ""
