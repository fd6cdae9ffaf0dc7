"""The library on Apache Kafka, with both drivers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from chalicelib import mq
from chalicelib.context import Context
from tests.integration.kafka_server import Centre, KafkaServer

pytestmark = pytest.mark.full
ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60.0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    server.start()
    yield server
    server.kill()


class Setting:
    """One driver, one topic."""

    def __init__(self, kafka: KafkaServer, driver: str) -> None:
        self.kafka = kafka
        self.driver = driver
        self.topic = f"t-{uuid.uuid4().hex}"
        self.option = mq.with_config_centre(self.centre())

    def centre(self, **settings: object) -> Centre:
        more = {"session_timeout_ms": 6000, "commit_interval_ms": 100, **settings}
        return self.kafka.centre(self.driver, **more)

    def create(self, partitions: int) -> bool:
        admin = mq.new_admin_client("test", self.option)
        return admin.create_topic(Context(), self.topic, partitions=partitions, retention_ms=10**8)

    def consumer(self, *options: Any, group: str = "g") -> mq.Consumer:
        return mq.new_consumer("test", [self.topic], group, self.option, *options)

    def leader_epochs(self, partitions: int) -> list[int]:
        """How often each partition was given a leader, or lost it."""
        admin = AdminClient({"bootstrap.servers": self.kafka.address})
        latest = {TopicPartition(self.topic, at): OffsetSpec.latest() for at in range(partitions)}
        return [end.result(10).leader_epoch for end in admin.list_offsets(latest).values()]


@pytest.fixture(params=["kafka-python", "confluent-kafka"])
def setting(request: pytest.FixtureRequest, kafka: KafkaServer) -> Setting:
    return Setting(kafka, request.param)


@contextlib.contextmanager
def subscribed(
    consumer: mq.Consumer, callback: Callable[[Context, mq.Message], None]
) -> Iterator[None]:
    thread = threading.Thread(target=consumer.subscribe, args=(callback,))
    thread.start()
    try:
        yield
    finally:
        consumer.close()
        thread.join(20)
    assert not thread.is_alive()


def until(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Received:
    """The numbers that came, by key."""

    def __init__(self) -> None:
        self.by_key: dict[bytes | None, list[int]] = defaultdict(list)
        self.count = 0

    def __call__(self, _ctx: Context, message: mq.Message) -> None:
        self.by_key[message.key].append(int(message.value))
        self.count += 1

    def assert_complete(self, keys: int, total: int) -> None:
        """Every number at least once, and the first occurrences of each key in order."""
        assert len(self.by_key) == keys
        for key, numbers in self.by_key.items():
            first = list(dict.fromkeys(numbers))
            assert first == sorted(first), key
            assert len(first) == total // keys


def send_numbers(producer: mq.Producer, topic: str, total: int, keys: int) -> None:
    waiting: list[Future[mq.Message]] = []
    for number in range(total):
        message = mq.Message(topic, str(number % keys).encode(), str(number).encode())
        waiting.append(producer.send(Context(), message))
        if len(waiting) == 5000:
            for future in waiting:
                future.result(30)
            waiting.clear()
    for future in waiting:
        future.result(30)


@pytest.mark.req("MQ-9")
def test_a_topic_is_created_once(setting: Setting) -> None:
    assert setting.create(3)
    assert not setting.create(3)


@pytest.mark.req("MQ-9")
def test_a_refused_topic_and_an_absent_cluster_are_errors_of_ours(setting: Setting) -> None:
    admin = mq.new_admin_client("test", setting.option)
    with pytest.raises(mq.MqError, match="not allowed"):
        admin.create_topic(Context(), "not allowed", partitions=1)

    nowhere = mq.with_config_centre(Centre({"brokers": ["127.0.0.1:1"], "driver": setting.driver}))
    with pytest.raises(mq.MqError):
        mq.new_admin_client("test", nowhere).create_topic(
            Context(deadline=time.time() + 2), "t", partitions=1
        )


@pytest.mark.req("MQ-1", "MQ-6", "MQ-8", "MQ-10")
def test_a_message_arrives_as_it_was_sent_with_its_place_and_trace(setting: Setting) -> None:
    setting.create(1)
    producer = mq.new_producer("test", setting.option)
    ctx = Context(trace_id="a" * 32)
    seen: list[tuple[Context, mq.Message]] = []

    (sent,) = producer.send_sync(ctx, mq.Message(setting.topic, b"k", b"v", {"h": b"1"}))
    with subscribed(setting.consumer(), lambda *one: seen.append(one)):
        until(lambda: seen)
    producer.close()

    context, message = seen[0]
    assert context.trace_id == "a" * 32
    assert (message.key, message.value, message.headers["h"]) == (b"k", b"v", b"1")
    assert (message.partition, message.offset) == (sent.partition, sent.offset) == (0, 0)
    assert message.timestamp_ms == sent.timestamp_ms


@pytest.mark.req("MQ-4", "MQ-10")
@pytest.mark.timeout(180)
def test_a_hundred_thousand_messages_come_through_without_loss_or_disorder(
    setting: Setting,
) -> None:
    setting.create(4)
    producer = mq.new_producer(
        "test", mq.with_config_centre(setting.centre(linger_ms=5, compression="gzip"))
    )
    received = Received()

    with subscribed(setting.consumer(), received):
        send_numbers(producer, setting.topic, 100_000, 100)
        until(lambda: received.count >= 100_000)
    producer.close()

    received.assert_complete(100, 100_000)
    assert received.count == 100_000


@pytest.mark.req("MQ-4")
def test_a_second_consumer_takes_over_partitions_and_nothing_is_lost(setting: Setting) -> None:
    setting.create(4)
    producer = mq.new_producer("test", setting.option)
    received, late = Received(), Received()
    first, second = setting.consumer(), setting.consumer()

    def slowly(ctx: Context, message: mq.Message) -> None:
        time.sleep(0.0005)
        received(ctx, message)

    with subscribed(first, slowly):
        send_numbers(producer, setting.topic, 4000, 40)
        until(lambda: received.count > 100)
        with subscribed(second, late):
            until(lambda: late.count)
            send_numbers(producer, setting.topic, 4000, 40)
            until(lambda: received.count + late.count >= 8000)
    producer.close()

    # What was in flight at the rebalance was committed before it: nothing came twice.
    assert received.count + late.count == 8000
    assert first.stats()["rebalances"] >= 1


@pytest.mark.req("MQ-5")
def test_after_a_close_under_load_another_consumer_goes_on_where_the_first_stopped(
    setting: Setting,
) -> None:
    setting.create(2)
    producer = mq.new_producer("test", setting.option)
    send_numbers(producer, setting.topic, 5000, 10)
    received = Received()

    with subscribed(setting.consumer(), received):
        until(lambda: received.count > 500)
    before = received.count
    with subscribed(setting.consumer(), received):
        until(lambda: received.count >= 5000)
    producer.close()

    assert 500 < before <= 5000
    received.assert_complete(10, 5000)
    assert received.count == 5000


@pytest.mark.req("MQ-10")
@pytest.mark.timeout(180)
def test_nothing_is_lost_when_the_broker_is_killed_and_comes_back(
    setting: Setting, tmp_path: Path
) -> None:
    server = KafkaServer(tmp_path)
    server.start()
    own = Setting(server, setting.driver)
    own.create(2)
    producer = mq.new_producer(
        "test", mq.with_config_centre(own.centre(request_timeout_ms=60_000, linger_ms=1))
    )
    received = Received()
    try:
        with subscribed(own.consumer(), received):
            send_numbers(producer, own.topic, 1000, 10)
            until(lambda: received.count >= 1000)
            first_leaders = own.leader_epochs(2)
            server.kill()
            waiting = [
                producer.send(Context(), mq.Message(own.topic, b"x%d" % (n % 5), b"%d" % n))
                for n in range(100)
            ]
            server.start()
            for future in waiting:
                future.result(60)
            until(lambda: sum(len(set(v)) for v in received.by_key.values()) >= 1100)
        later_leaders = own.leader_epochs(2)
        producer.close()
    finally:
        server.kill()

    late = {key: numbers for key, numbers in received.by_key.items() if key and key[:1] == b"x"}
    assert sorted(n for numbers in late.values() for n in set(numbers)) == list(range(100))
    assert all(new > old for old, new in zip(first_leaders, later_leaders, strict=True))


@pytest.mark.req("MQ-1")
def test_a_batch_that_cannot_be_decoded_ends_the_consumer_with_an_error_of_ours(
    kafka: KafkaServer,
) -> None:
    writer, reader = Setting(kafka, "confluent-kafka"), Setting(kafka, "kafka-python")
    writer.create(1)
    reader.topic = writer.topic
    producer = mq.new_producer("test", mq.with_config_centre(writer.centre(compression="zstd")))
    producer.send_sync(Context(), *(mq.Message(writer.topic, None, b"x" * 500) for _ in range(9)))
    producer.close()

    with pytest.raises(mq.ConsumeError, match="UnsupportedCodecError"):
        reader.consumer().subscribe(lambda _ctx, _message: None)


@pytest.mark.req("MQ-7")
def test_a_bad_message_goes_to_a_dead_letter_topic_with_its_origin(setting: Setting) -> None:
    setting.create(1)
    producer = mq.new_producer("test", setting.option)
    buried: list[mq.Message] = []
    received: list[bytes] = []

    def callback(_ctx: Context, message: mq.Message) -> None:
        if message.value == b"bad":
            raise ValueError("no")
        received.append(message.value)

    ctx = Context(trace_id="e" * 32)
    producer.send_sync(
        ctx, mq.Message(setting.topic, None, b"bad"), mq.Message(setting.topic, None, b"good")
    )
    sink = mq.with_dead_letter(lambda _ctx, message, _error: buried.append(message))
    retry = mq.with_retry(attempts=2, first_backoff_seconds=0.01)
    with subscribed(setting.consumer(sink, retry), callback):
        until(lambda: received == [b"good"])
    producer.close()

    assert buried[0].headers["trace_id"] == b"e" * 32
    assert buried[0].headers["dead_letter_offset"] == b"0"


@pytest.mark.req("MQ-5")
@pytest.mark.parametrize("driver", ["kafka-python", "confluent-kafka"])
def test_sigterm_finishes_commits_flushes_and_ends(kafka: KafkaServer, driver: str) -> None:
    setting = Setting(kafka, driver)
    setting.create(1)
    producer = mq.new_producer("test", setting.option)
    producer.send_sync(Context(), *(mq.Message(setting.topic, None, b"%d" % n) for n in range(3)))
    program = f"""
import time
from chalicelib import mq
from chalicelib.context import Context
from tests.integration.kafka_server import Centre
option = mq.with_config_centre(Centre({setting.centre()._text}))
producer = mq.new_producer("test", option)
consumer = mq.new_consumer("test", ["{setting.topic}"], "sigterm", option)
def callback(ctx, message):
    print(message.offset, flush=True)
    ctx.cancelled.wait(30)
    producer.send(ctx, mq.Message("{setting.topic}-out", None, message.value))
consumer.subscribe(callback)
print("the end", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"

    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)

    assert rest == "the end\n"
    assert process.returncode == 0
    seen: list[bytes] = []
    out = mq.new_consumer("test", [f"{setting.topic}-out"], "out", setting.option)
    with subscribed(out, lambda _ctx, message: seen.append(message.value)):
        until(lambda: seen == [b"0"])
    again: list[int | None] = []
    with subscribed(
        setting.consumer(group="sigterm"), lambda _ctx, message: again.append(message.offset)
    ):
        until(lambda: again == [1, 2])
    producer.close()
