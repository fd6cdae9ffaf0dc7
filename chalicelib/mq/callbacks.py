"""Running the callback: its context and trace, another attempt, the dead letter."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.context import Context
from chalicelib.mq.message import Message
from chalicelib.mq.options import Dependencies
from chalicelib.mq.queues import PartitionQueues

ConsumeCallback = Callable[[Context, Message], None]

_TAKE_SECONDS = 0.1


class CallbackRunner:
    """Takes one message after the other, until it is told to stop."""

    def __init__(
        self, queues: PartitionQueues, dependencies: Dependencies, stopping: threading.Event
    ) -> None:
        self._queues = queues
        self._on = dependencies
        self._logger = dependencies.logger
        self._stopping = stopping
        self.counts = dict.fromkeys(("messages", "errors", "dead_letters"), 0)

    def run(self, callback: ConsumeCallback) -> None:
        """Works until then; what is in flight is finished."""
        while not self._stopping.is_set():
            if taken := self._queues.take(_TAKE_SECONDS):
                self._handle(*taken, callback)

    def _handle(self, message: Message, attempts: int, callback: ConsumeCallback) -> None:
        ctx = self._context(message)
        try:
            with self._span(ctx, message):
                callback(ctx, message)
        except Exception as error:
            self.counts["errors"] += 1
            self._logger.warning(
                "callback failed",
                exc_info=True,
                extra={**_origin(ctx, message), "attempt": attempts + 1},
            )
            self._failed(ctx, message, attempts + 1, error)
            return
        self.counts["messages"] += 1
        self._queues.finish()

    def _failed(self, ctx: Context, message: Message, attempts: int, error: Exception) -> None:
        if attempts >= self._on.attempts and self._bury(ctx, message, error):
            self._queues.finish()
            return
        most = self._on.first_backoff_seconds * 2 ** min(attempts - 1, 20)
        # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        self._queues.postpone(random.uniform(0, min(self._on.max_backoff_seconds, most)))

    def _bury(self, ctx: Context, message: Message, error: Exception) -> bool:
        if self._on.dead_letter is None:
            self._logger.error("partition waits for a message", extra=_origin(ctx, message))
            return False
        headers = {
            **message.headers,
            "dead_letter_error": f"{type(error).__name__}: {error}".encode(),
            "dead_letter_topic": message.topic.encode(),
            "dead_letter_partition": str(message.partition).encode(),
            "dead_letter_offset": str(message.offset).encode(),
        }
        try:
            self._on.dead_letter(ctx, replace(message, headers=headers), error)
        except Exception:
            self._logger.exception("dead letter not taken", extra=_origin(ctx, message))
            return False
        self.counts["dead_letters"] += 1
        return True

    def _context(self, message: Message) -> Context:
        trace_id = message.headers.get("trace_id", b"").decode(errors="replace")
        known = {"trace_id": trace_id} if trace_id else {}
        return Context(cancelled=self._stopping, **known)  # type: ignore[arg-type]

    def _span(self, ctx: Context, message: Message) -> contextlib.AbstractContextManager[object]:
        if self._on.tracer is None:
            return contextlib.nullcontext()
        return self._on.tracer("mq.consume", ctx, {"topic": message.topic})


def _origin(ctx: Context, message: Message) -> dict[str, Any]:
    return {
        "trace_id": ctx.trace_id,
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
    }
