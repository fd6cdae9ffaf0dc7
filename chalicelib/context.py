"""What travels with every call: until when, for whom, and under which trace."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass, field
from threading import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances of one request or record.

    Attributes:
        trace_id: 32 hexadecimal digits; in every log line and message header of this request.
        deadline: Unix seconds after which nobody waits for the result any more.
        user: The id of the user on whose behalf this happens.
        cancelled: Set when the work should stop early.
    """

    trace_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deadline: float | None = None
    user: str | None = None
    cancelled: Event | None = None

    def remaining(self, default: float) -> float:
        """Seconds until the deadline, never below 0; ``default`` when there is none."""
        if self.deadline is None:
            return default
        return max(0.0, self.deadline - time.time())

    @property
    def traceparent(self) -> str:
        """The W3C trace context header: https://www.w3.org/TR/trace-context/#traceparent-header."""
        return f"00-{self.trace_id}-{os.urandom(8).hex()}-01"


def lambda_context(*, user: str | None = None, timeout: float | None = None) -> Context:
    """The context of the current Lambda invocation, under the trace that AWS gave it."""
    deadline = time.time() + timeout if timeout is not None else None
    root = os.environ.get("_X_AMZN_TRACE_ID", "").partition("Root=1-")[2].partition(";")[0]
    trace_id = root.replace("-", "")
    if len(trace_id) != 32:
        trace_id = uuid.uuid4().hex
    return Context(trace_id=trace_id, user=user, deadline=deadline)
