"""What operators see and do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """How many messages a day had, as far as one partition of EVENTS was read.

    Attributes:
        day: ``2026-11-21``, in UTC.
        source: The partition, ``EVENTS-3``.
        offset: The last event that is counted, -1 for none.
        messages: By type of conversation.
    """

    day: str
    source: str
    offset: int = -1
    messages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange:
    """A circuit breaker of some process changed its state.

    Attributes:
        name: The breaker's.
        old_state: ``closed``, ``open`` or ``half-open``.
        new_state: The same.
        process: The function's name, or that of the worker's host.
        at: Unix seconds.
    """

    name: str
    old_state: str
    new_state: str
    process: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Keeps a user out until a time, or for good (requirement APP-16).

    Attributes:
        user_id: Who is banned.
        banned_by: Who did it.
        banned_at: Unix seconds.
        until: The same; None for good.
        reason: For operators; the user is not told.
    """

    user_id: str
    banned_by: str
    banned_at: float
    until: float | None = None
    reason: str = ""

    def holds(self, now: float) -> bool:
        """Whether it has not ended."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an operator tells everybody who is connected."""

    id: str
    content: str
    created_at: str  # RFC 3339; kept as text, for it is only ever passed on


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record of Kafka that was put aside, for it could not succeed (requirement APP-14).

    Attributes:
        topic: With the two below its place in Kafka.
        partition: The same.
        offset: The same.
        parked_at: Unix seconds.
        error: Why.
        name: The task's or event's; empty where the record could not be read.
        key: The record's.
        args: Arguments or payload, JSON text.
        trace_id: Of the request that caused it.
        raw: The record's value, where it could not be read.
        version: The event's.
        listener: Which listener gave up; the others have taken the event.
        idempotency_key: The task's.
        truncated: What was too long to keep, with the bytes that it had.
    """

    topic: str
    partition: int
    offset: int
    parked_at: float
    error: str
    name: str = ""
    key: str = ""
    args: str = "{}"
    trace_id: str = ""
    raw: bytes = b""
    version: str = ""
    listener: str = ""
    idempotency_key: str = ""
    truncated: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its place in words, and the listener: ``EVENTS-3-42~statistics``."""
        listener = f"~{self.listener}" if self.listener else ""
        return f"{self.topic}-{self.partition}-{self.offset}{listener}"

    @property
    def lost(self) -> list[str]:
        """What a replay needs and was cut."""
        return sorted(self.truncated.keys() - {"error", "trace_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What an operator did.

    Attributes:
        id: Of this entry.
        at: RFC 3339.
        actor: A user's id, or ``cli:`` and the name of the account on the machine.
        action: What, for example ``ban``.
        target: To whom or what.
        trace_id: Of the request.
        result: ``started`` until it is ``done``, or the code of the error.
        details: What else was said, for example the reason.
    """

    id: str
    at: str
    actor: str
    action: str
    target: str
    trace_id: str
    result: str
    details: Mapping[str, str] = field(default_factory=dict)
