"""confluent-kafka: librdkafka, in C; about twice as fast.

Settings: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import confluent_kafka
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chalicelib.mq.config import Config
from chalicelib.mq.drivers import iam
from chalicelib.mq.errors import ConsumeError, DeliveryError, MqError
from chalicelib.mq.message import Message, Place

logger = logging.getLogger("chalicelib.mq")


def connection(settings: Config, name: str = "") -> dict[str, Any]:
    """The settings that every client of this library shares."""
    shared: dict[str, Any] = {
        "bootstrap.servers": ",".join(settings.brokers),
        "client.id": name or "lambchat",
        "security.protocol": "SASL_SSL" if settings.security == "IAM" else settings.security,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "log_level": 3,
    }
    if settings.ca_file:
        shared["ssl.ca.location"] = settings.ca_file
    if settings.sasl:
        shared["sasl.mechanism"] = settings.sasl_mechanism
        shared["sasl.username"] = settings.username
        shared["sasl.password"] = settings.password
    if settings.security == "IAM":
        shared["sasl.mechanism"] = "OAUTHBEARER"
        shared["oauth_cb"] = lambda _config: iam.token(settings)
    return shared


class ConfluentProducer:
    """A producer of librdkafka."""

    def __init__(self, settings: Config, name: str) -> None:
        self._producer = confluent_kafka.Producer(
            {
                **connection(settings, name),
                "compression.type": settings.compression,
                "linger.ms": settings.linger_ms,
                "batch.size": settings.batch_bytes,
                "acks": settings.acks,
                "enable.idempotence": settings.acks == "all",
                "message.timeout.ms": settings.request_timeout_ms,
                # Records of one key must stay together whichever driver wrote them.
                "partitioner": "murmur2_random",
                "topic.metadata.refresh.interval.ms": 30_000,
            },
            logger=logger,
        )
        self._open = True
        self._poller: threading.Thread | None = None

    def send(self, message: Message, future: Future[Message]) -> None:
        """Queues a record."""

        def delivered(error: Any, record: Any) -> None:
            if error is not None:
                future.set_exception(DeliveryError(error.str()))
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
        except (BufferError, ValueError, confluent_kafka.KafkaException) as error:
            future.set_exception(DeliveryError(str(error)))

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

    def close(self, timeout: float) -> None:
        """Flushes what the time allows, and drops the rest."""
        self._producer.flush(timeout)
        self._producer.purge()
        self._producer.poll(0)
        self._open = False
        if self._poller is not None:
            self._poller.join(timeout)

    def _poll(self) -> None:
        while self._open:
            self._producer.poll(0.1)


class ConfluentConsumer:
    """A consumer of librdkafka, in a group."""

    def __init__(self, settings: Config, name: str, group: str) -> None:
        self._settings = settings
        self._consumer = confluent_kafka.Consumer(
            {
                **connection(settings, name),
                "group.id": group,
                "auto.offset.reset": settings.start,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "session.timeout.ms": settings.session_timeout_ms,
                "heartbeat.interval.ms": max(100, settings.session_timeout_ms // 5),
                "fetch.error.backoff.ms": 100,
                "topic.metadata.refresh.interval.ms": 5000,
            },
            logger=logger,
        )

    def subscribe(
        self,
        topics: Sequence[str],
        on_assigned: Callable[[Sequence[Place]], None],
        on_revoked: Callable[[Sequence[Place]], object],
    ) -> None:
        """Joins the group; the callbacks run in `poll`, before partitions come and go."""

        def assigned(_consumer: object, partitions: Sequence[Any]) -> None:
            on_assigned(_places(partitions))

        def revoked(_consumer: object, partitions: Sequence[Any]) -> None:
            on_revoked(_places(partitions))  # it begins again at what is committed

        self._consumer.subscribe(list(topics), on_assign=assigned, on_revoke=revoked)

    def poll(self, timeout: float) -> list[Message]:
        """What has come, after at most ``timeout`` seconds."""
        try:
            first = self._consumer.poll(timeout)
            rest = self._consumer.consume(self._settings.max_poll_records - 1, 0) if first else []
        except confluent_kafka.KafkaException as error:
            raise _refused(error) from error
        found = []
        for record in [first, *rest] if first else ():
            problem = record.error()
            if problem is None:
                found.append(_message(record))
            elif problem.fatal():
                raise ConsumeError(problem.str())
            else:
                logger.warning("Kafka is not well", extra={"error": problem.str()})
        return found

    def commit(self, offsets: Mapping[Place, int], *, wait: bool) -> None:
        """Commits the offsets after finished messages.

        Raises:
            MqError: The commit failed, which costs repetitions only.
        """
        partitions = [confluent_kafka.TopicPartition(*place, at) for place, at in offsets.items()]
        try:
            if wait:
                self._consumer.commit(offsets=partitions, asynchronous=False)
            else:
                self._consumer.commit(offsets=partitions, asynchronous=True)
        except confluent_kafka.KafkaException as error:
            raise MqError(f"commit: {error}") from error

    def pause(self, places: Iterable[Place]) -> None:
        """Fetches no more from partitions."""
        self._consumer.pause([confluent_kafka.TopicPartition(*one) for one in places])

    def resume(self, places: Iterable[Place]) -> None:
        """Fetches from paused partitions again."""
        self._consumer.resume([confluent_kafka.TopicPartition(*one) for one in places])

    def end(self, place: Place) -> int:
        """The offset after a partition's last message, as the last fetch had it."""
        partition = confluent_kafka.TopicPartition(*place)
        bounds = self._consumer.get_watermark_offsets(partition, cached=True)
        return int(bounds[1]) if bounds else -1

    def close(self, timeout: float) -> None:
        """Leaves the group; librdkafka has its own time limit."""
        self._consumer.close()


def _places(partitions: Iterable[Any]) -> list[Place]:
    return [(one.topic, one.partition) for one in partitions]


def _message(record: Any) -> Message:
    return Message(
        record.topic(),
        record.key(),
        record.value() or b"",
        {name: value or b"" for name, value in record.headers() or ()},
        record.partition(),
        record.offset(),
        record.timestamp()[1],
    )


def _refused(error: confluent_kafka.KafkaException) -> ConsumeError:
    return ConsumeError(str(error.args[0]))


def create_topic(
    settings: Config,
    name: str,
    *,
    partitions: int,
    replication: int,
    options: Mapping[str, str],
    timeout: float,
) -> bool:
    """Creates a topic; False when it was there.

    Raises:
        MqError: The cluster refused, or did not answer in time.
    """
    client = AdminClient(connection(settings))
    topic = NewTopic(name, partitions, replication, config=dict(options))
    try:
        if name in client.list_topics(timeout=timeout).topics:
            return False
        client.create_topics([topic], request_timeout=timeout)[name].result(timeout)
    except confluent_kafka.KafkaException as error:
        if error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise MqError(f"topic {name}: {error.args[0].str()}") from error
    return True
