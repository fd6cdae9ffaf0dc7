"""Makes producers wait before the embedded broker would forget what nobody has read.

The broker keeps the last 5 MB of a partition, read or not (rdkafka_mock.c, ``max_size``). A real
one keeps its retention time; so here a producer gets a retriable error while a group is behind.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import confluent_kafka

HIGH_BYTES = 2_000_000  # well below 5 MB: a check comes every 50 ms
LOW_BYTES = 1_000_000
FULL_BYTES = 3_500_000  # from here on nothing is taken, or what nobody has read would be forgotten
_CHECK_SECONDS = 0.05
_ANSWER_SECONDS = 2.0

Place = tuple[str, int]


class Backlog:
    """How many bytes of each partition stand after an offset."""

    def __init__(self) -> None:
        self._written: dict[Place, int] = {}
        self._marks: dict[Place, deque[tuple[int, int]]] = {}

    def add(self, place: Place, offset: int, size: int) -> None:
        """Takes in a record that was written."""
        total = self._written[place] = self._written.get(place, 0) + size
        self._marks.setdefault(place, deque()).append((offset, total))

    def after(self, place: Place, offset: int) -> int:
        """The bytes from an offset on; what stands before it is forgotten."""
        marks = self._marks.get(place, deque())
        while marks and marks[0][0] < offset - 1:
            marks.popleft()
        if not marks:
            return 0
        before = marks[0][1] if marks[0][0] == offset - 1 else 0
        return self._written[place] - before if marks[-1][0] >= offset else 0


class Backpressure(threading.Thread):
    """Watches what groups have committed; while one is far behind, its topic's producers wait.

    Args:
        bootstrap: The broker.
        topics: Partitions by topic.
        groups: The topics that each group reads.
        refuse: Called again and again while a topic's producers are to wait, with the topic and
            whether nothing at all may be taken.
    """

    def __init__(
        self,
        bootstrap: str,
        topics: Mapping[str, int],
        groups: Mapping[str, Sequence[str]],
        *,
        refuse: Callable[[str, bool], None],
    ) -> None:
        super().__init__(name="backpressure", daemon=True)
        self._refuse = refuse
        self._backlog = Backlog()
        self._refused: set[str] = set()
        self._stopped = threading.Event()
        watched = {topic for group in groups.values() for topic in group}
        self._reader = _consumer(bootstrap, "backpressure")
        self._reader.assign(_places(watched, topics))
        self._groups = [
            (_consumer(bootstrap, group), _places(names, topics)) for group, names in groups.items()
        ]

    def run(self) -> None:
        """Reads along, and compares with what is committed."""
        checked = 0.0
        while not self._stopped.is_set():
            for record in self._reader.consume(1000, _CHECK_SECONDS):
                if record.error() is None:
                    self._take(record)
            if time.monotonic() - checked > _CHECK_SECONDS:
                self._check()
                checked = time.monotonic()
        for consumer in (self._reader, *(consumer for consumer, _ in self._groups)):
            consumer.close()

    def stop(self) -> None:
        """Ends it."""
        self._stopped.set()
        self.join()

    def _take(self, record: Any) -> None:
        size = len(record.key() or b"") + len(record.value() or b"")
        self._backlog.add((record.topic(), record.partition()), record.offset(), size)

    def _check(self) -> None:
        behind = self._behind()
        self._refused = {
            topic
            for topic, size in behind.items()
            if size > (LOW_BYTES if topic in self._refused else HIGH_BYTES)
        }
        for topic in self._refused:
            self._refuse(topic, behind[topic] > FULL_BYTES)

    def _behind(self) -> dict[str, int]:
        """How far its slowest group is behind in any partition of a topic, in bytes."""
        lowest: dict[Place, int] = {}
        for consumer, places in self._groups:
            for one in consumer.committed(places, timeout=_ANSWER_SECONDS):
                if one.offset >= 0:  # else it has not read yet
                    place = (one.topic, one.partition)
                    lowest[place] = min(one.offset, lowest.get(place, one.offset))
        behind: dict[str, int] = {}
        for (topic, partition), offset in lowest.items():
            size = self._backlog.after((topic, partition), offset)
            behind[topic] = max(size, behind.get(topic, 0))
        return behind


def _consumer(bootstrap: str, group: str) -> confluent_kafka.Consumer:
    return confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "fetch.min.bytes": 100_000,
            "queued.max.messages.kbytes": 2048,
            "log_level": 2,
        }
    )


def _places(topics: Iterable[str], partitions: Mapping[str, int]) -> list[Any]:
    return [
        confluent_kafka.TopicPartition(topic, partition)
        for topic in sorted(topics)
        for partition in range(partitions.get(topic, 0))
    ]
