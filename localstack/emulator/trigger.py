"""Event source mappings for Kafka: a consumer group of its own for each.

    python -m localstack.emulator.trigger --template FILE --bootstrap HOST:PORT --invoke URL

Offsets are committed after success only. A batch that fails blocks its partitions, and no others,
until it succeeds; in provisioned mode the retry settings of the mapping apply. Semantics:
docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import confluent_kafka

from localstack.emulator.batches import Record, event, failures, portions
from localstack.emulator.invoker import InvokeError, Invoker
from localstack.emulator.source import Place, Source
from localstack.emulator.template import EventSourceMapping, load

_IDLE_SECONDS = 0.1
_FIRST_BACK_OFF_SECONDS = 0.1
_MAX_BACK_OFF_SECONDS = 5.0


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

    def __init__(
        self,
        mapping: EventSourceMapping,
        bootstrap: str,
        invoke_url: str,
        *,
        embedded: bool = False,
    ) -> None:
        self._mapping = mapping
        self._bootstrap = bootstrap
        self._invoker = Invoker(invoke_url)
        self._blocked: dict[Place, Blocked] = {}
        self._stopped = threading.Event()
        self._failing = False
        self._source = Source(
            mapping,
            bootstrap,
            embedded=embedded,
            on_revoked=self._revoked,
            say=self._say,
        )

    def stop(self) -> None:
        """Ends it after the invocation in flight."""
        self._stopped.set()

    def run(self) -> None:
        """Reads, invokes, commits."""
        while not self._stopped.is_set():
            self._take(*self._source.read(min(_IDLE_SECONDS, self._until_retry())))
            self._retry()
        self._source.close()
        self._invoker.close()

    def _take(self, wanted: Sequence[Record], ends: Mapping[Place, int]) -> None:
        """Invokes for fresh records; commits what is done, blocks partitions that failed."""
        for portion in portions(wanted, self._mapping.batch_size):
            blocked = [
                record for record in portion if (record.topic, record.partition) in self._blocked
            ]
            self._hold(blocked)
            free = [record for record in portion if record not in blocked] if blocked else portion
            if free:
                self._hold(self._failed(free))
        self._source.commit(
            {place: end for place, end in ends.items() if place not in self._blocked}
        )

    def _failed(self, portion: Sequence[Record]) -> list[Record]:
        """Invokes the function; the records that must be tried again."""
        payload = event(portion, self._mapping.arn, self._bootstrap)
        try:
            answer = self._invoker.invoke(self._mapping.function, payload)
            first_failed = failures(answer, portion) if self._mapping.partial_failures else {}
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
        groups: dict[Place, list[Record]] = {}
        for record in records:
            groups.setdefault((record.topic, record.partition), []).append(record)
        for place, group in groups.items():
            if place in self._blocked:
                self._blocked[place].portions.append(group)
                continue
            self._source.commit({place: group[0].offset})
            self._blocked[place] = Blocked([group])
            self._blocked[place].postpone()
            self._source.pause(place)

    def _until_retry(self) -> float:
        times = [one.retry_at for one in self._blocked.values()]
        return max(0.0, min(times) - time.monotonic()) if times else _IDLE_SECONDS

    def _retry(self) -> None:
        now = time.monotonic()
        for place, blocked in list(self._blocked.items()):
            if blocked.retry_at <= now and not self._stopped.is_set():
                self._retry_one(place, blocked)

    def _retry_one(self, place: Place, blocked: Blocked) -> None:
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
            self._source.commit({place: rest[0].offset})
            return
        self._source.commit({place: portion[-1].offset + 1})
        blocked.attempts, blocked.retry_at = 1, time.monotonic()
        if not blocked.portions:
            del self._blocked[place]
            self._source.resume(place)

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

    def _revoked(self, places: Sequence[Place]) -> None:
        for place in places:
            self._blocked.pop(place, None)

    def _say(self, message: str, **fields: object) -> None:
        record = {"kind": "log", "function": self._mapping.name, "message": message, **fields}
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Runs every mapping of a template until SIGTERM."""
    parser = argparse.ArgumentParser(prog="trigger", description=__doc__)
    parser.add_argument("--template", default="template.yaml")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--invoke", required=True, metavar="URL")
    parser.add_argument("--embedded", action="store_true", help="the broker is librdkafka's")
    options = parser.parse_args()
    parameters = dict(pair.split("=", 1) for pair in options.parameter)
    runners = [
        MappingRunner(
            mapping,
            options.bootstrap,
            options.invoke,
            embedded=options.embedded,
        )
        for mapping in load(Path(options.template), parameters).mappings
        if mapping.enabled
    ]
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    gc.freeze()  # a collection does not go through what stays
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
