"""The two Kafka client libraries, each imported only when it is configured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any

from chalicelib.mq.config import Config
from chalicelib.mq.message import Message

Failure = Callable[[str], Exception]


def producer(settings: Config, name: str, failure: Failure) -> ConfluentProducer | PythonProducer:
    """The configured driver's producer."""
    kind = ConfluentProducer if settings.driver == "confluent-kafka" else PythonProducer
    return kind(settings, name, failure)


class ConfluentProducer:
    """confluent-kafka: librdkafka, in C; about twice as fast."""

    def __init__(self, settings: Config, name: str, failure: Failure) -> None:
        import confluent_kafka

        self._failure = failure
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": ",".join(settings.brokers),
                "client.id": name,
                "security.protocol": settings.security,
                "compression.type": settings.compression,
                "linger.ms": settings.linger_ms,
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": settings.request_timeout_ms,
                "socket.nagle.disable": True,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 1000,
                # Records of one key must stay together whichever driver wrote them.
                "partitioner": "murmur2_random",
                "topic.metadata.refresh.interval.ms": 30_000,
            }
        )
        self._open = True
        self._poller: threading.Thread | None = None

    def send(self, message: Message) -> Future[Message]:
        """Queues a record; the future has it with its place."""
        future: Future[Message] = Future()

        def delivered(error: Any, record: Any) -> None:
            if error is not None:
                future.set_exception(self._failure(error.str()))
                return
            future.set_result(
                replace(
                    message,
                    partition=record.partition(),
                    offset=record.offset(),
                    timestamp_ms=record.timestamp()[1],
                )
            )

        try:
            self._producer.produce(
                message.topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers.items()),
                on_delivery=delivered,
            )
        except (BufferError, ValueError) as error:
            future.set_exception(self._failure(str(error)))
        return future

    def wait(self, futures: Sequence[Future[Message]], timeout: float) -> bool:
        """Waits until all are done; False when the time is over first.

        The waiting thread serves the deliveries itself: handing them from a polling thread to it
        costs a tenth of a millisecond each.
        """
        deadline = time.monotonic() + timeout
        while not all(future.done() for future in futures):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._producer.poll(min(left, 0.1 if self._poller is None else 0.001))
        return True

    def poll_in_background(self) -> None:
        """Serves deliveries while nobody waits for them."""
        if self._poller is None:
            self._poller = threading.Thread(target=self._poll, name="mq-poll", daemon=True)
            self._poller.start()

    def close(self, timeout: float) -> int:
        """Flushes and closes; how many records were not confirmed."""
        left: int = self._producer.flush(timeout)
        self._open = False
        if self._poller is not None:
            self._poller.join(timeout)
        return left

    def _poll(self) -> None:
        while self._open:
            self._producer.poll(0.1)


class PythonProducer:
    """kafka-python: pure Python, nothing to compile; the default."""

    def __init__(self, settings: Config, name: str, failure: Failure) -> None:
        import kafka

        self._failure = failure
        self._producer = kafka.KafkaProducer(
            bootstrap_servers=list(settings.brokers),
            client_id=name,
            security_protocol=settings.security,
            compression_type=None if settings.compression == "none" else settings.compression,
            linger_ms=settings.linger_ms,
            acks="all",
            # An unknown topic or an absent broker blocks `send` this long, 60 s by default.
            max_block_ms=settings.request_timeout_ms,
            request_timeout_ms=settings.request_timeout_ms,
            delivery_timeout_ms=settings.request_timeout_ms + settings.linger_ms,
            reconnect_backoff_max_ms=1000,
        )

    def send(self, message: Message) -> Future[Message]:
        """Queues a record; the future has it with its place."""
        future: Future[Message] = Future()

        def delivered(record: Any) -> None:
            future.set_result(
                replace(
                    message,
                    partition=record.partition,
                    offset=record.offset,
                    timestamp_ms=record.timestamp,
                )
            )

        try:
            sent = self._producer.send(
                message.topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers.items()),
            )
        except Exception as error:  # kafka-python raises many unrelated classes here
            future.set_exception(self._failure(str(error)))
            return future
        sent.add_callback(delivered)
        sent.add_errback(lambda error: future.set_exception(self._failure(str(error))))
        return future

    def wait(self, futures: Sequence[Future[Message]], timeout: float) -> bool:
        """Waits until all are done; False when the time is over first."""
        return not wait(futures, timeout).not_done

    def poll_in_background(self) -> None:
        """The library has a thread of its own."""

    def close(self, timeout: float) -> int:
        """Flushes and closes; the library does not say what was left, futures do."""
        started = time.monotonic()
        self._producer.flush(timeout=timeout)
        self._producer.close(timeout=max(0.1, timeout - (time.monotonic() - started)))
        return 0
