"""Sending: the driver is chosen by configuration, and no type of its passes through here."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from chalicelib import coord
from chalicelib.context import Context
from chalicelib.mq import config, drivers, shutdown
from chalicelib.mq.errors import DeliveryError
from chalicelib.mq.message import Message
from chalicelib.mq.options import Dependencies, Option, collect

_SEND_TIMEOUT_SECONDS = 10.0
_CLOSE_TIMEOUT_SECONDS = 10.0

DeliveryCallback = Callable[[Message, Exception | None], None]


class ProducerDriver(Protocol):
    """A Kafka client library behind one shape."""

    def send(self, message: Message, future: Future[Message]) -> None:
        """Queues a record; the future gets it with partition and offset, or a DeliveryError."""

    def wait(self, futures: Sequence[Future[Message]], timeout: float) -> bool:
        """Waits until all are done; False when the time is over first."""

    def poll_in_background(self) -> None:
        """Makes futures come true while nobody waits."""

    def close(self, timeout: float) -> None:
        """Flushes what the time allows, and disconnects."""


class Producer:
    """Sends messages, acknowledged by all in-sync replicas, without duplicates by retries."""

    def __init__(self, driver: ProducerDriver, dependencies: Dependencies) -> None:
        self._driver = driver
        self._logger = dependencies.logger
        self._tracer = dependencies.tracer
        self._pending: dict[Future[Message], Message] = {}
        self._sent = 0
        self._failed: list[Message] = []
        self._failures = 0
        self._closed = False

    def send(
        self, ctx: Context, message: Message, callback: DeliveryCallback | None = None
    ) -> Future[Message]:
        """Queues a message and returns at once.

        Returns:
            A future with the message as it stands in Kafka, or a DeliveryError.

        Raises:
            DeliveryError: The producer is closed.
        """
        self._driver.poll_in_background()
        future = self._send(ctx, message)
        if callback:
            future.add_done_callback(lambda done: _report(done, message, callback))
        return future

    def send_sync(self, ctx: Context, *messages: Message) -> list[Message]:
        """Sends messages together and waits until all are confirmed.

        Raises:
            DeliveryError: One was not confirmed before the context's deadline (else 10 s).
        """
        with self._span(ctx, messages):
            futures = [self._send(ctx, message) for message in messages]
            if not self._driver.wait(futures, ctx.remaining(_SEND_TIMEOUT_SECONDS)):
                raise DeliveryError("not all messages were confirmed in time")
            return [future.result() for future in futures]

    def close(self, timeout: float = _CLOSE_TIMEOUT_SECONDS) -> list[Message]:
        """Flushes what is queued and disconnects; a second call does nothing.

        Returns:
            The messages that were queued and not confirmed; they are logged as well.
        """
        if self._closed:
            return []
        self._closed = True
        self._failed.clear()
        self._driver.close(timeout)
        lost = [*self._failed, *self._pending.values()]
        for message in lost:
            self._logger.error(
                "message not confirmed at close",
                extra={"topic": message.topic, "trace_id": _trace(message)},
            )
        return lost

    def stats(self) -> dict[str, int]:
        """Counts since the start: ``sent``, ``failed``, and how many are ``in_flight``."""
        return {"sent": self._sent, "failed": self._failures, "in_flight": len(self._pending)}

    def _send(self, ctx: Context, message: Message) -> Future[Message]:
        if self._closed:
            raise DeliveryError("the producer is closed")
        if trace_id := _trace(message):
            ctx = replace(ctx, trace_id=trace_id)
        headers = {
            "trace_id": ctx.trace_id.encode(),
            "traceparent": ctx.traceparent.encode(),
            **message.headers,
        }
        message = replace(message, headers=headers)
        future: Future[Message] = Future()
        self._pending[future] = message
        future.add_done_callback(self._settle)
        self._driver.send(message, future)
        return future

    def _settle(self, future: Future[Message]) -> None:
        message = self._pending.pop(future)
        if error := future.exception():
            self._failures += 1
            self._failed = [*self._failed[-99:], message]
            self._logger.warning(
                "message not confirmed",
                extra={"topic": message.topic, "trace_id": _trace(message), "error": str(error)},
            )
        else:
            self._sent += 1

    def _span(
        self, ctx: Context, messages: Sequence[Message]
    ) -> contextlib.AbstractContextManager[object]:
        if self._tracer is None:
            return contextlib.nullcontext()
        topics = ",".join(dict.fromkeys(message.topic for message in messages))
        return self._tracer("mq.send", ctx, {"topic": topics})


def new_producer(service_name: str, *options: Option) -> Producer:
    """A producer configured under the service's name.

    It is closed when the program ends, by SIGTERM too.

    Raises:
        MqConfigError: There is no configuration, or it is wrong.
    """
    dependencies = collect(options)
    settings = config.load(dependencies.centre or coord.new(), service_name)
    producer = Producer(drivers.producer(settings, service_name), dependencies)
    shutdown.install()
    atexit.register(_close, weakref.ref(producer))
    return producer


def _close(producer: weakref.ref[Producer]) -> None:
    if found := producer():
        found.close()


def _report(future: Future[Message], message: Message, callback: DeliveryCallback) -> None:
    error = future.exception()
    if error is None:
        callback(future.result(), None)
    else:
        callback(message, error if isinstance(error, Exception) else DeliveryError(str(error)))


def _trace(message: Message) -> str:
    return message.headers.get("trace_id", b"").decode(errors="replace")
