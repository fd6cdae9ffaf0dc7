"""What users report to moderators."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportStatus(StrEnum):
    """Whether a moderator has dealt with it."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A user tells moderators of a user or of a message.

    Attributes:
        user_id: Who is reported; of a message its sender.
        conversation_id: With the number below the message, where it is one.
        message: The JSON of the message as it was when it was reported: who wrote it may edit it
            or take it back.
        note: What the moderator says, for other moderators.
    """

    id: str
    reporter_id: str
    user_id: str
    reason: str
    created_at: str
    conversation_id: str = ""
    seq: int = 0
    message: str = ""
    status: ReportStatus = ReportStatus.OPEN
    resolved_by: str = ""
    resolved_at: str = ""
    note: str = ""
