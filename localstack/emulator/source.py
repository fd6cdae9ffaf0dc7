"""The Kafka side of an event source mapping: reading in batches, committing, pausing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import confluent_kafka

from localstack.emulator.batches import Record
from localstack.emulator.filters import passes
from localstack.emulator.template import EventSourceMapping

logger = logging.getLogger(__name__)

Place = tuple[str, int]  # topic, partition

_AT_ONCE = 16  # a few records do not wait for company
_QUIET_SECONDS = 0.01
_WINDOW_SECONDS = 0.03
# Who wants none of what comes looks less often, and always less so: each look costs the broker.
# But not while it is behind: the embedded broker hands out a few records a look.
_NOTHING_WANTED_SECONDS = (0.02, 0.16)
_BEHIND_SECONDS = 0.1
_ERROR_SECONDS = 0.1

_SETTINGS = {
    # What is marked as done is committed a little later, many marks at once: a commit is an append
    # for Kafka, and with one a batch they were most of its work when little goes on.
    "enable.auto.offset.store": False,
    "auto.commit.interval.ms": 500,
    # Answered at once when idle. Under load the fetches that are made while an invocation runs
    # wait until what came before is taken, so that they are fewer and fuller.
    "fetch.min.bytes": 1,
    "queued.min.messages": 1,
    "queued.max.messages.kbytes": 4096,  # 64 MB each, otherwise
    "fetch.max.bytes": 4_000_000,
    "fetch.queue.backoff.ms": 5,
    "fetch.error.backoff.ms": 100,
    "heartbeat.interval.ms": 500,
    "max.poll.interval.ms": 960_000,
    "reconnect.backoff.max.ms": 1000,
    "topic.metadata.refresh.interval.ms": 5000,
    "log_level": 2,
}
_KAFKA = {"session.timeout.ms": 6000}  # the least that it takes
# librdkafka's broker takes a short session, and lets each newcomer wait as long; it does not wake
# a waiting fetch when a record comes, and answers one with a single batch of each partition: so it
# is asked while an invocation runs (measured: 190 to 700 messages/s).
_EMBEDDED = {
    "session.timeout.ms": 2000,
    "fetch.wait.max.ms": 20,
    "queued.min.messages": 500,
}


class Source:
    """A consumer in the mapping's own group; for one thread.

    Args:
        mapping: What to read, and from where on.
        bootstrap: The broker.
        embedded: Whether the broker is librdkafka's.
        on_revoked: Told the partitions that another consumer gets.
        say: Told what went wrong.
    """

    def __init__(
        self,
        mapping: EventSourceMapping,
        bootstrap: str,
        *,
        embedded: bool,
        on_revoked: Callable[[Sequence[Place]], None],
        say: Callable[[str], None],
    ) -> None:
        self._mapping = mapping
        self._say = say
        start = "earliest" if mapping.starting_position == "TRIM_HORIZON" else "latest"
        self._consumer = confluent_kafka.Consumer(
            {
                **_SETTINGS,
                **(_EMBEDDED if embedded else _KAFKA | _unhurried(mapping)),
                "bootstrap.servers": bootstrap,
                "group.id": mapping.group,
                "auto.offset.reset": start,
            },
            logger=logger,
        )

        def revoked(_consumer: object, partitions: Sequence[Any]) -> None:
            on_revoked([(one.topic, one.partition) for one in partitions])

        self._rest_seconds = _NOTHING_WANTED_SECONDS[0]
        self._consumer.subscribe(list(mapping.topics), on_revoke=revoked)

    def read(self, timeout: float) -> tuple[list[Record], dict[Place, int]]:
        """What is there, or comes within the window.

        Args:
            timeout: How long to wait for a first record, in seconds.

        Returns:
            The records that pass the mapping's filters; the offset after the last record,
            filtered or not, of each partition.
        """
        records = self._gather(timeout)
        wanted = [one for one in records if passes(self._mapping.filters, one.value, one.key)]
        if records and not wanted:
            self._rest(records[-1])
        else:
            self._rest_seconds = _NOTHING_WANTED_SECONDS[0]
        return wanted, {(one.topic, one.partition): one.offset + 1 for one in records}

    def _rest(self, last: Record) -> None:
        if time.time() - last.timestamp / 1000 < _BEHIND_SECONDS:
            time.sleep(self._rest_seconds)
            self._rest_seconds = min(2 * self._rest_seconds, _NOTHING_WANTED_SECONDS[1])

    def commit(self, ends: Mapping[Place, int]) -> None:
        """Marks what comes before these offsets as done: committed soon, and when it closes."""
        if not ends:
            return
        offsets = [confluent_kafka.TopicPartition(*place, end) for place, end in ends.items()]
        try:
            self._consumer.store_offsets(offsets=offsets)
        except confluent_kafka.KafkaException as error:
            self._say(f"commit: {error}")  # the records come again, which is allowed

    def pause(self, place: Place) -> None:
        """Reads no more from a partition."""
        self._consumer.pause([confluent_kafka.TopicPartition(*place)])

    def resume(self, place: Place) -> None:
        """Reads from a paused partition again."""
        self._consumer.resume([confluent_kafka.TopicPartition(*place)])

    def close(self) -> None:
        """Leaves the group."""
        self._consumer.close()

    def _gather(self, timeout: float) -> list[Record]:
        size, window = self._mapping.batch_size, self._mapping.window_seconds
        records = self._consume(1, timeout)
        if not records:
            return records
        deadline = time.monotonic() + _WINDOW_SECONDS
        records += self._consume(size - 1, 0)
        if window:
            return records + self._consume(size - len(records), window)
        while _AT_ONCE < len(records) < size:
            more = self._consume(size - len(records), _QUIET_SECONDS)
            records += more
            if not more or time.monotonic() > deadline:
                break
        return records

    def _consume(self, most: int, timeout: float) -> list[Record]:
        try:
            messages = self._consumer.consume(most, timeout) if most > 0 else []
        except confluent_kafka.KafkaException as error:
            self._say(f"Kafka: {error}")
            time.sleep(_ERROR_SECONDS)
            return []
        # An error in a message's place: a broker or topic is away, and will be back.
        return [_record(message) for message in messages if message.error() is None]


def _unhurried(mapping: EventSourceMapping) -> dict[str, int]:
    """A batching window begins at the broker, where waiting costs nothing."""
    if not mapping.window_seconds:
        return {}
    return {"fetch.min.bytes": 1_000_000, "fetch.wait.max.ms": int(mapping.window_seconds * 500)}


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=message.headers() or (),
    )
