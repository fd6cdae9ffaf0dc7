"""The embedded broker forgets after 5 MB; before that, producers wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import confluent_kafka
import pytest

from localstack.emulator.backpressure import Backlog, Backpressure
from localstack.emulator.kafka_embedded import MockCluster

KILOBYTES_100 = b"x" * 100_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    topics = {"T": 1, "OTHER": 1}
    cluster = MockCluster(topics)
    groups = {"g": ["T"], "o": ["OTHER"]}
    backpressure = Backpressure(cluster.bootstrap, topics, groups, refuse=cluster.refuse)
    backpressure.start()
    yield cluster
    backpressure.stop()


def new_producer(cluster: MockCluster) -> confluent_kafka.Producer:
    return confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "linger.ms": 0}
    )


def new_group(cluster: MockCluster) -> confluent_kafka.Consumer:
    return confluent_kafka.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "g",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline


def test_the_backlog_counts_the_bytes_from_an_offset_on() -> None:
    backlog = Backlog()
    for offset in range(4):
        backlog.add(("T", 0), offset, 10)

    assert backlog.after(("T", 0), 0) == 40
    assert backlog.after(("T", 0), 3) == 10
    assert backlog.after(("T", 0), 4) == 0
    assert backlog.after(("T", 1), 0) == 0


def test_producers_wait_for_a_slow_group_and_nothing_is_forgotten(cluster: MockCluster) -> None:
    producer, group = new_producer(cluster), new_group(cluster)
    group.subscribe(["T"])
    stored: list[int] = []
    seen: list[int] = []

    def write() -> None:
        for number in range(101):  # 10 MB; as `send` does, one after the other
            producer.produce("T", key=str(number).encode(), value=KILOBYTES_100 if number else b"")
            if producer.flush(30) == 0:
                stored.append(number)
            time.sleep(0.01)  # 10 MB/s is more than workers in Python produce

    def read() -> bool:
        for record in group.consume(100, 0.1):
            assert record.error() is None
            seen.append(int(record.key() or b""))
            group.commit(record, asynchronous=False)
        return bool(seen)

    writer = threading.Thread(target=write)
    writer.start()
    until(read)
    count = 0

    def is_stuck() -> bool:
        nonlocal count
        before, count = count, len(stored)
        return before == count and writer.join(0.5) is None

    until(is_stuck)
    assert writer.is_alive()
    assert len(stored) < 50  # 5 MB would be kept
    other = new_producer(cluster)
    other.produce("OTHER", value=b"what the slow group may wait for")
    assert other.flush(2) == 0

    until(lambda: read() and len(seen) == 101)
    assert seen == list(range(101))
    writer.join()
    group.close()


def test_what_a_group_that_stands_still_has_not_read_is_never_pushed_out() -> None:
    cluster = MockCluster({"T": 1})
    said: list[tuple[str, bool]] = []
    backpressure = Backpressure(
        cluster.bootstrap, {"T": 1}, {"g": ["T"]}, refuse=lambda *call: said.append(call)
    )
    producer, group = new_producer(cluster), new_group(cluster)
    group.commit(offsets=[confluent_kafka.TopicPartition("T", 0, 0)], asynchronous=False)
    backpressure.start()
    for size, expected in ((25, ("T", False)), (15, ("T", True))):
        for _ in range(size):
            producer.produce("T", value=KILOBYTES_100)
        assert producer.flush(10) == 0
        until(lambda: said[-1:] == [expected])  # noqa: B023
    backpressure.stop()

    for _ in range(2):
        cluster.refuse("T", True)
        producer.produce("T", value=KILOBYTES_100)
        assert producer.flush(2) > 0
    producer.purge()
    group.close()
