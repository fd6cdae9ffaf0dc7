"""kafka-python: pure Python, nothing to compile; the default."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any

import kafka
import kafka.codec
import kafka.errors
from kafka.net.compat import KafkaNetClient
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.net.selector import KernelEvent

from chalicelib.mq.config import Config
from chalicelib.mq.drivers import iam
from chalicelib.mq.errors import ConsumeError, DeliveryError, MqConfigError, MqError
from chalicelib.mq.message import Message, Place

logger = logging.getLogger("chalicelib.mq")

_LOOK_SECONDS = 0.005
# Of a batch that it cannot decode the library would try the next poll without end.
_HOPELESS = (
    kafka.errors.UnsupportedCodecError,
    kafka.errors.CorruptRecordError,
    kafka.errors.AuthorizationError,
)


class _IamTokens(AbstractTokenProvider):  # type: ignore[misc]
    def __init__(self, settings: Config) -> None:
        super().__init__()
        self._settings = settings

    def token(self) -> str:
        return iam.token(self._settings)[0]


def connection(settings: Config, name: str = "") -> dict[str, Any]:
    """The settings that every client of this library shares."""
    shared: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "client_id": name or "lambchat",
        "security_protocol": "SASL_SSL" if settings.security == "IAM" else settings.security,
        "bootstrap_timeout_ms": settings.request_timeout_ms,
        "request_timeout_ms": max(settings.request_timeout_ms, settings.session_timeout_ms + 1000),
        "reconnect_backoff_max_ms": 1000,
    }
    if settings.ca_file:
        shared["ssl_cafile"] = settings.ca_file
    if settings.sasl:
        shared["sasl_mechanism"] = settings.sasl_mechanism
        shared["sasl_plain_username"] = settings.username
        shared["sasl_plain_password"] = settings.password
    if settings.security == "IAM":
        shared["sasl_mechanism"] = "OAUTHBEARER"
        shared["sasl_oauth_token_provider"] = _IamTokens(settings)
    return shared


def _connected(client: Callable[..., Any], **settings: Any) -> Any:
    """A client of the library, which connects when it is made.

    Raises:
        MqError: No broker answers in time.
    """
    made: list[KafkaNetClient] = []

    def remembered(**options: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**options))
        return made[-1]

    try:
        return client(**settings, kafka_client=remembered)
    except Exception as error:
        for one in made:
            one.close()  # the library leaves a thread that goes on trying to connect
        if isinstance(error, kafka.errors.KafkaError):
            raise MqError(f"no broker answers: {error!r}") from error
        raise


class PythonProducer:
    """A producer of kafka-python."""

    def __init__(self, settings: Config, name: str) -> None:
        self._producer = _connected(
            kafka.KafkaProducer,
            **{
                **connection(settings, name),
                "request_timeout_ms": settings.request_timeout_ms,
                "compression_type": _compression(settings),
                "linger_ms": settings.linger_ms,
                "batch_size": settings.batch_bytes,
                "acks": "all" if settings.acks == "all" else 1,
                "enable_idempotence": settings.acks == "all",
                # An unknown topic or an absent broker blocks `send` this long, 60 s by default.
                "max_block_ms": settings.request_timeout_ms,
                "delivery_timeout_ms": settings.request_timeout_ms + settings.linger_ms,
            },
        )

    def send(self, message: Message, future: Future[Message]) -> None:
        """Queues a record."""

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
            future.set_exception(DeliveryError(str(error)))
            return
        sent.add_callback(delivered)
        sent.add_errback(lambda error: future.set_exception(DeliveryError(str(error))))

    def wait(self, futures: Sequence[Future[Message]], timeout: float) -> bool:
        """Waits until all are done; False when the time is over first."""
        return not wait(futures, timeout).not_done

    def poll_in_background(self) -> None:
        """The library has a thread of its own."""

    def close(self, timeout: float) -> None:
        """Flushes what the time allows, and drops the rest."""
        started = time.monotonic()
        try:
            self._producer.flush(timeout=timeout)
        except kafka.errors.KafkaTimeoutError:
            logger.debug("flush was not done in time")
        self._producer.close(timeout=max(0.1, timeout - (time.monotonic() - started)))


class PythonConsumer:
    """A consumer of kafka-python, in a group."""

    def __init__(self, settings: Config, name: str, group: str) -> None:
        self._settings = settings
        self._consumer = _connected(
            kafka.KafkaConsumer,
            **connection(settings, name),
            group_id=group,
            auto_offset_reset=settings.start,
            enable_auto_commit=False,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=max(100, settings.session_timeout_ms // 5),
            max_poll_records=settings.max_poll_records,
            metadata_max_age_ms=5000,
        )

    def subscribe(
        self,
        topics: Sequence[str],
        on_assigned: Callable[[Sequence[Place]], None],
        on_revoked: Callable[[Sequence[Place]], Mapping[Place, int]],
    ) -> None:
        """Joins the group; the callbacks run in a thread of the library's, or one like it."""
        consumer = self._consumer
        left: dict[Place, int] = {}

        def revoke(places: Sequence[Place]) -> None:
            left.update(on_revoked(places))

        class Listener(kafka.AsyncConsumerRebalanceListener):  # type: ignore[misc]
            async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
                # It may take a while and commits in the end: beside the library's loop, which
                # goes on with the heartbeats meanwhile.
                work = threading.Thread(target=revoke, args=(_places(revoked),))
                work.start()
                while work.is_alive():
                    await KernelEvent("_sleep", _LOOK_SECONDS)

            async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
                # The library keeps position and pause of a partition that stays here, though
                # what had been read of it was given up.
                consumer.resume(*assigned)
                for place, offset in left.items():
                    if kafka.TopicPartition(*place) in assigned:
                        consumer.seek(kafka.TopicPartition(*place), offset)
                left.clear()
                on_assigned(_places(assigned))

        self._consumer.subscribe(list(topics), listener=Listener())

    def poll(self, timeout: float) -> list[Message]:
        """What has come, after at most ``timeout`` seconds."""
        try:
            batches = self._consumer.poll(timeout_ms=int(timeout * 1000))
            coordinator = self._consumer._coordinator
            if coordinator.rejoining:
                # A join that ends just when `poll` does is forgotten by kafka-python 3.0.12: the
                # consumer would stay in its group without partitions, and never be told.
                coordinator.request_rejoin()
        except _HOPELESS as error:
            raise ConsumeError(f"{type(error).__name__}: {error}") from error
        except kafka.errors.KafkaError as error:
            # A rebalance or a broker that is away: the next poll joins or connects again.
            logger.warning("Kafka is not well", extra={"error": repr(error)})
            time.sleep(timeout)
            return []
        return [_message(record) for batch in batches.values() for record in batch]

    def commit(self, offsets: Mapping[Place, int], *, wait: bool) -> None:
        """Commits the offsets after finished messages.

        Raises:
            MqError: The commit failed, which costs repetitions only.
        """
        wanted = {
            kafka.TopicPartition(*place): kafka.OffsetAndMetadata(offset, "", -1)
            for place, offset in offsets.items()
        }
        try:
            if wait:
                self._consumer.commit(wanted, timeout_ms=self._settings.request_timeout_ms)
            else:
                self._consumer.commit_async(wanted)
        except kafka.errors.KafkaError as error:
            raise MqError(f"commit: {error!r}") from error

    def pause(self, places: Iterable[Place]) -> None:
        """Fetches no more from partitions."""
        self._consumer.pause(*self._assigned(places))

    def resume(self, places: Iterable[Place]) -> None:
        """Fetches from paused partitions again."""
        self._consumer.resume(*self._assigned(places))

    def end(self, place: Place) -> int:
        """The offset after a partition's last message, as the last fetch had it."""
        found = self._consumer.highwater(kafka.TopicPartition(*place))
        return -1 if found is None else int(found)

    def close(self, timeout: float) -> None:
        """Leaves the group."""
        self._consumer.close(autocommit=False, timeout_ms=int(timeout * 1000))

    def _assigned(self, places: Iterable[Place]) -> set[Any]:
        wanted = {kafka.TopicPartition(*one) for one in places}
        return wanted.intersection(self._consumer.assignment())


def _places(partitions: Iterable[Any]) -> list[Place]:
    return [(one.topic, one.partition) for one in partitions]


def _message(record: Any) -> Message:
    return Message(
        record.topic,
        record.key,
        record.value or b"",
        {name: value or b"" for name, value in record.headers or ()},
        record.partition,
        record.offset,
        record.timestamp,
    )


def _compression(settings: Config) -> str | None:
    name = settings.compression
    if name == "none":
        return None
    if not getattr(kafka.codec, f"has_{name}")():
        raise MqConfigError(f"compression: kafka-python has no {name} here, expected none or gzip")
    return name


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
    topic = {
        name: {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": dict(options),
        }
    }
    try:
        client = kafka.KafkaAdminClient(
            **{**connection(settings), "bootstrap_timeout_ms": int(timeout * 1000)}
        )
        try:
            if name in client.list_topics():
                return False
            client.create_topics(topic, timeout_ms=int(timeout * 1000))
        finally:
            client.close()
    except kafka.errors.TopicAlreadyExistsError:
        return False
    except kafka.errors.KafkaError as error:
        raise MqError(f"topic {name}: {error!r}") from error
    return True
