"""What may be said of a task or listener beside its code, and what the broker needs for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.broker.records import Command

DeadLetterSink = Callable[[Command, Exception], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How a failed record is tried again later, while those behind it go on.

    Without one it is tried again at once and without end, and its partition waits: that keeps
    order, and nothing is given up while a store is away.

    Attributes:
        attempts: After so many the record is a dead letter.
        first_seconds: The longest wait before the second attempt; it doubles from one to the next.
        max_seconds: What it doubles up to.
    """

    attempts: int = 5
    first_seconds: float = 1.0
    max_seconds: float = 3600.0

    def wait(self, attempt: int) -> float:
        """Seconds after the failure of an attempt, the first being 0; with full jitter.

        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        return random.uniform(
            0, min(self.max_seconds, self.first_seconds * 2.0 ** min(attempt, 30))
        )


class DelayStore(Protocol):
    """Keeps records until they are due; `Broker.release` sends them then."""

    def put(self, record: bytes, due: float) -> None:
        """Keeps a record until ``due``, Unix seconds."""

    def due(self, now: float) -> Sequence[tuple[str, bytes]]:
        """Some that are due, the earliest first, each with an id."""

    def remove(self, ids: Sequence[str]) -> None:
        """Forgets records that were sent."""


class DoneStore(Protocol):
    """Remembers which commands were carried out, by task and idempotency key."""

    def is_done(self, key: str) -> bool:
        """Whether it was."""

    def done(self, key: str) -> None:
        """It is."""


class TaskTimeoutError(Exception):
    """A task or listener did not end in time."""
