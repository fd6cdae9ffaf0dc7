"""What is sent and received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Place = tuple[str, int]  # topic, partition


@dataclass(frozen=True, slots=True)
class Message:
    """A Kafka record.

    Attributes:
        topic: The topic's name.
        key: Records with the same key stay in order; None spreads them.
        value: The payload.
        headers: Names and values; ``trace_id`` and ``traceparent`` are added when it is sent,
            unless they are there: a record that is passed on keeps its trace.
        partition: Where a received record stands; None before it is sent.
        offset: Its place there.
        timestamp_ms: When it was produced, Unix milliseconds.
    """

    topic: str
    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)
    partition: int | None = None
    offset: int | None = None
    timestamp_ms: int | None = None

    @property
    def place(self) -> Place:
        """Topic and partition of a received record."""
        return self.topic, self.partition or 0
