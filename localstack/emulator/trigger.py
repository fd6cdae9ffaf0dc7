"""Event source mappings for Kafka: a consumer group of its own for each.

    python -m localstack.emulator.trigger --template FILE --bootstrap HOST:PORT --invoke URL

Offsets are committed after success only. A batch that fails blocks its partitions, and no others,
until it succeeds; in provisioned mode the retry settings of the mapping apply. Semantics:
docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import confluent_kafka

from localstack.emulator.batches import Record, event, failures, portions
from localstack.emulator.filters import passes
from localstack.emulator.template import EventSourceMapping, load

logger = logging.getLogger(__name__)

_AT_ONCE = 16  # a few records do not wait for company
_QUIET_SECONDS = 0.003
_WINDOW_SECONDS = 0.02
_IDLE_SECONDS = 0.1
_FIRST_BACK_OFF_SECONDS = 0.1
_MAX_BACK_OFF_SECONDS = 5.0
_ANSWER_SECONDS = 930.0  # Lambda's longest time-out and some


class InvokeError(Exception):
    """The function failed, or could not be invoked."""


class Invoker:
    """Invokes functions over the Invoke API, on a kept connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._connection: http.client.HTTPConnection | None = None

    def invoke(self, function: str, payload: bytes) -> bytes:
        """The function's answer.

        Raises:
            InvokeError: It failed, or nobody answered.
        """
        path = f"/2015-03-31/functions/{function}/invocations"
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    *self._address, timeout=_ANSWER_SECONDS
                )
            self._connection.request("POST", path, payload)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise InvokeError(f"no answer: {error!r}") from error
        if answer.status != 200 or answer.getheader("x-amz-function-error"):
            raise InvokeError(body[:500].decode(errors="replace"))
        return body

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(slots=True)
class Blocked:
    """Records of one partition that must succeed before it goes on."""

    portions: list[list[Record]]
    attempts: int = 1
    retry_at: float = field(default_factory=time.monotonic)

    def postpone(self) -> None:
        wait = _FIRST_BACK_OFF_SECONDS * 2 ** min(self.attempts, 10)
        self.retry_at = time.monotonic() + min(_MAX_BACK_OFF_SECONDS, wait)


class MappingRunner:
    """Runs one mapping until it is stopped."""

    def __init__(self, mapping: EventSourceMapping, bootstrap: str, invoke_url: str) -> None:
        self._mapping = mapping
        self._bootstrap = bootstrap
        self._invoker = Invoker(invoke_url)
        self._blocked: dict[tuple[str, int], Blocked] = {}
        self._stopped = threading.Event()
        self._failing = False
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": mapping.group,
                "auto.offset.reset": (
                    "earliest" if mapping.starting_position == "TRIM_HORIZON" else "latest"
                ),
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # Fewer, fuller fetches under load, and a few milliseconds at most when idle.
                "fetch.min.bytes": 100_000,
                "fetch.wait.max.ms": 10,
                "fetch.queue.backoff.ms": 5,
                "fetch.error.backoff.ms": 100,
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 1000,
                "max.poll.interval.ms": 960_000,
                "reconnect.backoff.max.ms": 1000,
                "topic.metadata.refresh.interval.ms": 5000,
                "log_level": 2,
            },
            logger=logger,
        )

    def stop(self) -> None:
        """Ends it after the invocation in flight."""
        self._stopped.set()

    def run(self) -> None:
        """Reads, invokes, commits."""
        self._consumer.subscribe(list(self._mapping.topics), on_revoke=self._revoked)
        while not self._stopped.is_set():
            records = self._gather()
            wanted = [
                record
                for record in records
                if passes(self._mapping.filters, record.value, record.key)
            ]
            self._take(records, wanted)
            self._retry()
        self._consumer.close()
        self._invoker.close()

    def _gather(self) -> list[Record]:
        """What is there, or comes within the window."""
        size = self._mapping.batch_size
        records = self._consume(1, min(_IDLE_SECONDS, self._until_retry()))
        if not records:
            return records
        deadline = time.monotonic() + max(_WINDOW_SECONDS, self._mapping.window_seconds)
        records += self._consume(size - 1, 0)
        while _AT_ONCE < len(records) < size or self._mapping.window_seconds:
            more = self._consume(size - len(records), _QUIET_SECONDS)
            records += more
            quiet = not more and not self._mapping.window_seconds
            if quiet or len(records) >= size or time.monotonic() > deadline:
                break
        return records

    def _consume(self, most: int, timeout: float) -> list[Record]:
        found = []
        try:
            messages = self._consumer.consume(most, timeout) if most > 0 else []
        except confluent_kafka.KafkaException as error:
            self._say(f"Kafka: {error}")
            self._stopped.wait(_IDLE_SECONDS)
            return []
        for message in messages:
            if message.error() is None:  # else a broker or topic is away, and will be back
                found.append(_record(message))
        return found

    def _take(self, records: Sequence[Record], wanted: Sequence[Record]) -> None:
        """Invokes for fresh records; commits what is done, blocks partitions that failed."""
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        for portion in portions(wanted, self._mapping.batch_size):
            blocked = [
                record for record in portion if (record.topic, record.partition) in self._blocked
            ]
            self._hold(blocked)
            free = [record for record in portion if record not in blocked] if blocked else portion
            if free:
                self._hold(self._failed(free))
        self._commit({place: end for place, end in ends.items() if place not in self._blocked})

    def _failed(self, portion: Sequence[Record]) -> list[Record]:
        """Invokes the function; the records that must be tried again."""
        payload = event(portion, self._mapping.arn, self._bootstrap)
        try:
            answer = self._invoker.invoke(self._mapping.function, payload)
            first_failed = failures(answer) if self._mapping.partial_failures else {}
        except (InvokeError, ValueError) as error:
            self._say(f"batch of {len(portion)} failed: {error}")
            self._failing = True
            return list(portion)
        if self._failing:
            self._failing = False
            self._say("goes on")
        return [
            record
            for record in portion
            if record.place in first_failed and record.offset >= first_failed[record.place]
        ]

    def _hold(self, records: Sequence[Record]) -> None:
        """Blocks the partitions of these records until they succeed."""
        groups: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            groups.setdefault((record.topic, record.partition), []).append(record)
        for place, group in groups.items():
            if place in self._blocked:
                self._blocked[place].portions.append(group)
                continue
            self._commit({place: group[0].offset})
            self._blocked[place] = Blocked([group])
            self._blocked[place].postpone()
            self._consumer.pause([confluent_kafka.TopicPartition(*place)])

    def _until_retry(self) -> float:
        times = [one.retry_at for one in self._blocked.values()]
        return max(0.0, min(times) - time.monotonic()) if times else _IDLE_SECONDS

    def _retry(self) -> None:
        now = time.monotonic()
        for place, blocked in list(self._blocked.items()):
            if blocked.retry_at <= now and not self._stopped.is_set():
                self._retry_one(place, blocked)

    def _retry_one(self, place: tuple[str, int], blocked: Blocked) -> None:
        """Tries the first portion of a blocked partition; the others wait behind it."""
        portion = blocked.portions.pop(0)
        if self._is_given_up(portion, blocked):
            self._give_up(portion)
            rest: list[Record] = []
        else:
            rest = self._failed(portion)
        if rest and self._mapping.bisect and len(rest) == len(portion) > 1:
            half = len(rest) // 2
            blocked.portions[:0] = [rest[:half], rest[half:]]
            return
        if rest:
            blocked.portions.insert(0, rest)
            blocked.attempts += 1
            blocked.postpone()
            self._commit({place: rest[0].offset})
            return
        self._commit({place: portion[-1].offset + 1})
        blocked.attempts, blocked.retry_at = 1, time.monotonic()
        if not blocked.portions:
            del self._blocked[place]
            self._consumer.resume([confluent_kafka.TopicPartition(*place)])

    def _is_given_up(self, portion: Sequence[Record], blocked: Blocked) -> bool:
        if not self._mapping.provisioned:
            return False  # on demand: for ever
        most, age = self._mapping.max_attempts, self._mapping.max_age_seconds
        too_old = age >= 0 and time.time() - portion[0].timestamp / 1000 > age
        return too_old or 0 <= most < blocked.attempts

    def _give_up(self, portion: Sequence[Record]) -> None:
        """Hands records to the on-failure destination; without one they are lost, as on AWS."""
        destination = self._mapping.on_failure or ""
        self._say(f"gave up {len(portion)} records", destination=destination)
        if not destination.startswith("kafka://"):
            return
        producer = confluent_kafka.Producer({"bootstrap.servers": self._bootstrap})
        for record in portion:
            producer.produce(
                destination.removeprefix("kafka://"),
                key=record.key,
                value=record.value,
                headers=list(record.headers),
            )
        producer.flush(10)

    def _commit(self, ends: Mapping[tuple[str, int], int]) -> None:
        if not ends:
            return
        offsets = [confluent_kafka.TopicPartition(*place, end) for place, end in ends.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except confluent_kafka.KafkaException as error:
            self._say(f"commit: {error}")  # the records come again, which is allowed

    def _revoked(self, _consumer: object, partitions: Sequence[Any]) -> None:
        for one in partitions:
            self._blocked.pop((one.topic, one.partition), None)

    def _say(self, message: str, **fields: object) -> None:
        record = {"kind": "log", "function": self._mapping.name, "message": message, **fields}
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()


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


def main() -> None:
    """Runs every mapping of a template until SIGTERM."""
    parser = argparse.ArgumentParser(prog="trigger", description=__doc__)
    parser.add_argument("--template", default="template.yaml")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--invoke", required=True, metavar="URL")
    options = parser.parse_args()
    parameters = dict(pair.split("=", 1) for pair in options.parameter)
    runners = [
        MappingRunner(mapping, options.bootstrap, options.invoke)
        for mapping in load(Path(options.template), parameters).mappings
        if mapping.enabled
    ]
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threads = [threading.Thread(target=runner.run, daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    sys.stdout.write(json.dumps({"event": "ready", "mappings": len(runners)}) + "\n")
    sys.stdout.flush()
    signal.sigwait(signals)
    for runner in runners:
        runner.stop()
    for thread in threads:
        thread.join(1.5)


if __name__ == "__main__":
    main()
