"""The copy of their data that a user asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExportStatus(StrEnum):
    """How far an export has come."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A copy that is being made, or was (requirement TASK-6).

    Attributes:
        changed_at: When its last step ended; 0 before the first.
        expires_at: From then on there may be another one, and this one goes.
        upload_id: S3's name for the object while it is put together.
        step: The number of the next step.
        position: What that step is to read, as JSON; empty at the beginning.
        is_read: Whether everything is read, and only the object is to be finished.
        parts: What S3 calls the parts that it has.
    """

    id: str
    user_id: str
    started_at: float  # Unix seconds, as the two below
    changed_at: float
    expires_at: float
    status: ExportStatus = ExportStatus.RUNNING
    upload_id: str = ""
    step: int = 0
    position: str = ""
    is_read: bool = False
    parts: tuple[str, ...] = ()
