"""What a function is invoked with, and what that comes to."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field


@dataclass(slots=True)
class Invocation:
    """What an invocation came to.

    Attributes:
        payload: What the handler returned, or the error document.
        error: None, or ``Unhandled``, ``Timeout``, ``Crash``.
        billed_ms: Duration rounded up to a millisecond.
        cold: Whether an environment was started for it.
    """

    payload: bytes
    error: str | None = None
    billed_ms: int = 0
    cold: bool = False


@dataclass(slots=True)
class Pending:
    """An invocation that waits for its answer."""

    payload: bytes
    future: asyncio.Future[Invocation]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = 0.0
    timer: asyncio.TimerHandle | None = None


def error_document(kind: str, message: str) -> bytes:
    """The payload of a failed invocation."""
    return json.dumps({"errorMessage": message, "errorType": kind}).encode()
