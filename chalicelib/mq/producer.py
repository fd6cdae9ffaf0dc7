"""Sending: the driver is chosen by configuration, and no type of its passes through here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from chalicelib import coord
from chalicelib.context import Context
from chalicelib.mq import config, drivers
from chalicelib.mq.message import Message
from chalicelib.mq.options import Option, collect

_SEND_TIMEOUT_SECONDS = 10.0
_CLOSE_TIMEOUT_SECONDS = 10.0

DeliveryCallback = Callable[[Message, Exception | None], None]


class DeliveryError(Exception):
    """Kafka did not confirm a message; it may nevertheless have arrived."""


class Driver(Protocol):
    """A Kafka client library behind one shape."""

    def send(self, message: Message) -> Future[Message]:
        """Queues a record; the future has it with partition and offset."""

    def wait(self, futures: Sequence[Future[Message]], timeout: float) -> bool:
        """Waits until all are done; False when the time is over first."""

    def poll_in_background(self) -> None:
        """Makes futures come true while nobody waits."""

    def close(self, timeout: float) -> int:
        """Flushes and closes; how many records were not confirmed."""


class Producer:
    """Sends messages, acknowledged by all in-sync replicas, without duplicates by retries."""

    def __init__(self, driver: Driver, logger: logging.Logger) -> None:
        self._driver = driver
        self._logger = logger
        self._closed = False

    def send(
        self, ctx: Context, message: Message, callback: DeliveryCallback | None = None
    ) -> Future[Message]:
        """Queues a message and returns at once.

        Returns:
            A future with the message as it stands in Kafka, or a DeliveryError.
        """
        self._driver.poll_in_background()
        future = self._send(ctx, message)
        if callback:
            future.add_done_callback(lambda done: _report(done, message, callback))
        return future

    def _send(self, ctx: Context, message: Message) -> Future[Message]:
        if self._closed:
            raise DeliveryError("the producer is closed")
        headers = {
            **message.headers,
            "trace_id": ctx.trace_id.encode(),
            "traceparent": ctx.traceparent.encode(),
        }
        return self._driver.send(replace(message, headers=headers))

    def send_sync(self, ctx: Context, *messages: Message) -> list[Message]:
        """Sends messages together and waits until all are confirmed.

        Raises:
            DeliveryError: One was not confirmed before the context's deadline (else 10 s).
        """
        futures = [self._send(ctx, message) for message in messages]
        if not self._driver.wait(futures, ctx.remaining(_SEND_TIMEOUT_SECONDS)):
            raise DeliveryError("not all messages were confirmed in time")
        return [future.result() for future in futures]

    def close(self, timeout: float = _CLOSE_TIMEOUT_SECONDS) -> None:
        """Flushes what is queued and disconnects; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if left := self._driver.close(timeout):
            self._logger.error("messages not confirmed at close", extra={"messages": left})


def new_producer(service_name: str, *options: Option) -> Producer:
    """A producer configured under the service's name.

    Raises:
        MqConfigError: There is no configuration, or it is wrong.
    """
    dependencies = collect(options)
    settings = config.load(dependencies.centre or coord.new(), service_name)
    driver = drivers.producer(settings, service_name, DeliveryError)
    return Producer(driver, dependencies.logger)


def _report(
    future: Future[Message], message: Message, callback: Callable[[Message, Exception | None], None]
) -> None:
    error = future.exception()
    if error is None:
        callback(future.result(), None)
    else:
        callback(message, error if isinstance(error, Exception) else DeliveryError(str(error)))
