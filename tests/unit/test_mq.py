"""Producer and consumer on a driver that is in memory."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

import chalicelib.mq as package
from chalicelib.context import Context
from chalicelib.mq import (
    ConsumeError,
    Consumer,
    DeliveryError,
    Message,
    MqError,
    Producer,
    with_dead_letter,
    with_retry,
    with_tracer,
)
from chalicelib.mq.message import Place
from chalicelib.mq.options import Option, collect


class ProducerDriver:
    """Confirms at once, unless it is told to keep or to refuse."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.answer: Callable[[Message, Future[Message]], None] = self.confirm
        self.closed = 0

    def confirm(self, message: Message, future: Future[Message]) -> None:
        self.sent.append(message)
        future.set_result(replace(message, partition=0, offset=len(self.sent) - 1))

    def send(self, message: Message, future: Future[Message]) -> None:
        self.answer(message, future)

    def wait(self, futures: Sequence[Future[Message]], timeout: float) -> bool:
        return all(future.done() for future in futures)

    def poll_in_background(self) -> None:
        """Nothing is to be polled."""

    def close(self, timeout: float) -> None:
        self.closed += 1


class ConsumerDriver:
    """Hands out what it was given, and keeps what is committed."""

    def __init__(self, *messages: Message) -> None:
        self.waiting = list(messages)
        self.committed: dict[Place, int] = {}
        self.paused: list[Place] = []
        self.revoke: Callable[[Sequence[Place]], Any] = lambda _places: None
        self.to_revoke: list[Place] = []
        self.closed = 0
        self.refuses_commits = False

    def subscribe(
        self,
        topics: Sequence[str],
        on_assigned: Callable[[Sequence[Place]], None],
        on_revoked: Callable[[Sequence[Place]], Mapping[Place, int]],
    ) -> None:
        on_assigned([("t", 0), ("t", 1)])
        self.revoke = on_revoked

    def poll(self, timeout: float) -> list[Message]:
        if self.to_revoke:
            places, self.to_revoke = self.to_revoke, []
            self.revoke(places)
        if not self.waiting:
            time.sleep(0.001)
        found, self.waiting = self.waiting, []
        return found

    def commit(self, offsets: Mapping[Place, int], *, wait: bool) -> None:
        if self.refuses_commits:
            raise MqError("no")
        self.committed.update(offsets)

    def pause(self, places: Iterable[Place]) -> None:
        self.paused.extend(places)

    def resume(self, places: Iterable[Place]) -> None:
        for place in places:
            self.paused.remove(place)

    def end(self, place: Place) -> int:
        return 10

    def close(self, timeout: float) -> None:
        self.closed += 1


def record(offset: int, partition: int = 0, **headers: bytes) -> Message:
    return Message("t", b"k", str(offset).encode(), headers, partition, offset, 0)


@contextlib.contextmanager
def running(
    driver: ConsumerDriver,
    callback: Callable[[Context, Message], None],
    *options: Option,
    interval: float = 0.0,
) -> Iterator[Consumer]:
    consumer = Consumer(driver, ["t"], collect(options), commit_interval_seconds=interval)
    thread = threading.Thread(target=consumer.subscribe, args=(callback,))
    thread.start()
    try:
        yield consumer
    finally:
        consumer.close(5)
        thread.join(5)
    assert not thread.is_alive()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.req("MQ-1")
def test_the_public_names_are_those_of_the_requirement() -> None:
    names = set(package.__all__)

    assert {name for name in names if not name.startswith("with_")} == {
        *("Message", "Producer", "Consumer", "ConsumeCallback", "AdminClient"),
        *("new_producer", "new_consumer", "new_admin_client"),
        *("MqError", "MqConfigError", "DeliveryError", "ConsumeError"),
    }
    assert all(hasattr(package, name) for name in names)


@pytest.mark.req("MQ-6")
def test_a_record_that_is_passed_on_keeps_its_trace() -> None:
    driver = ProducerDriver()
    producer = Producer(driver, collect(()))

    producer.send_sync(Context(), Message("t", None, b"v", {"trace_id": b"a" * 32}))

    (sent,) = driver.sent
    assert sent.headers["trace_id"] == b"a" * 32
    assert sent.headers["traceparent"].split(b"-")[1] == b"a" * 32


@pytest.mark.req("MQ-6")
def test_the_trace_travels_in_headers_and_beside_it_the_w3c_one() -> None:
    driver = ProducerDriver()
    ctx = Context(trace_id="a" * 32)

    Producer(driver, collect(())).send_sync(ctx, Message("t", None, b"", {"x": b"y"}))

    headers = driver.sent[0].headers
    assert headers["x"] == b"y"
    assert headers["trace_id"] == b"a" * 32
    assert headers["traceparent"].startswith(b"00-" + b"a" * 32)


@pytest.mark.req("MQ-1")
def test_a_send_gives_a_future_and_calls_back_with_the_place_or_the_error() -> None:
    driver, seen = ProducerDriver(), []
    producer = Producer(driver, collect(()))

    stored = producer.send(Context(), Message("t", None, b"1"), lambda *one: seen.append(one))
    driver.answer = lambda _message, future: future.set_exception(DeliveryError("away"))
    failed = producer.send(Context(), Message("t", None, b"2"), lambda *one: seen.append(one))

    assert stored.result().offset == 0
    assert seen[0] == (stored.result(), None)
    assert isinstance(failed.exception(), DeliveryError)
    assert str(seen[1][1]) == "away"
    assert producer.stats() == {"sent": 1, "failed": 1, "in_flight": 0}


@pytest.mark.req("MQ-6")
def test_a_synchronous_send_ends_at_its_deadline() -> None:
    driver = ProducerDriver()
    driver.answer = lambda _message, _future: None

    with pytest.raises(DeliveryError, match="in time"):
        Producer(driver, collect(())).send_sync(Context(deadline=0), Message("t", None, b""))


@pytest.mark.req("MQ-5")
def test_closing_a_producer_says_which_messages_were_not_confirmed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = ProducerDriver()
    driver.answer = lambda _message, _future: None
    producer = Producer(driver, collect(()))
    producer.send(Context(trace_id="b" * 32), Message("t", None, b"lost"))

    lost = producer.close()

    assert [message.value for message in lost] == [b"lost"]
    assert producer.close() == []
    assert driver.closed == 1
    assert caplog.records[-1].trace_id == "b" * 32  # type: ignore[attr-defined]
    with pytest.raises(DeliveryError, match="closed"):
        producer.send_sync(Context(), Message("t", None, b""))


@pytest.mark.req("MQ-4")
def test_offsets_are_committed_behind_finished_callbacks_only() -> None:
    driver = ConsumerDriver(record(4), record(5), record(6))
    reached, go_on = threading.Event(), threading.Event()

    def callback(_ctx: Context, message: Message) -> None:
        if message.offset == 5:
            reached.set()
            assert go_on.wait(30)

    with running(driver, callback):
        assert reached.wait(30)
        until(lambda: driver.committed)
        assert driver.committed == {("t", 0): 5}
        go_on.set()
        until(lambda: driver.committed == {("t", 0): 7})


@pytest.mark.req("MQ-5")
def test_close_finishes_the_message_in_flight_commits_and_leaves() -> None:
    driver = ConsumerDriver(record(0), record(1))
    reached = threading.Event()
    cancelled = []

    def callback(ctx: Context, _message: Message) -> None:
        reached.set()
        assert ctx.cancelled is not None
        cancelled.append(ctx.cancelled.wait(30))

    with running(driver, callback, interval=60) as consumer:
        assert reached.wait(30)
        consumer.close(5)
        consumer.close(5)

    assert driver.committed == {("t", 0): 1}
    assert driver.closed == 1
    assert cancelled == [True]
    with pytest.raises(ConsumeError):
        consumer.subscribe(callback)


def test_a_consumer_that_never_subscribed_can_be_closed() -> None:
    driver = ConsumerDriver()

    Consumer(driver, ["t"], collect(())).close()

    assert driver.closed == 1


def test_the_callback_itself_may_close() -> None:
    driver = ConsumerDriver(record(0))
    consumer = Consumer(driver, ["t"], collect(()))

    consumer.subscribe(lambda _ctx, _message: consumer.close())

    assert driver.committed == {("t", 0): 1}
    assert driver.closed == 1


@pytest.mark.req("MQ-7")
def test_a_bad_message_is_tried_again_then_buried_and_the_partition_goes_on() -> None:
    driver = ConsumerDriver(record(0, trace_id=b"c" * 32), record(1))
    tries: list[int] = []
    buried: list[tuple[Context, Message, Exception]] = []

    def callback(_ctx: Context, message: Message) -> None:
        tries.append(message.offset or 0)
        if message.offset == 0:
            raise ValueError("bad")

    options = (
        with_retry(attempts=3, first_backoff_seconds=0.001),
        with_dead_letter(lambda *one: buried.append(one)),
    )
    with running(driver, callback, *options) as consumer:
        until(lambda: driver.committed == {("t", 0): 2})
        counts = consumer.stats()

    assert tries == [0, 0, 0, 1]
    ((ctx, message, error),) = buried
    assert ctx.trace_id == "c" * 32
    assert isinstance(error, ValueError)
    assert message.headers["dead_letter_error"] == b"ValueError: bad"
    assert message.headers["dead_letter_topic"] == b"t"
    assert message.headers["dead_letter_partition"] == b"0"
    assert message.headers["dead_letter_offset"] == b"0"
    assert (counts["messages"], counts["errors"], counts["dead_letters"]) == (1, 3, 1)


@pytest.mark.req("MQ-7")
def test_without_a_sink_the_partition_waits_and_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = ConsumerDriver(record(0, partition=0), record(0, partition=1), record(1, partition=1))

    def callback(_ctx: Context, message: Message) -> None:
        if message.partition == 0:
            raise ValueError("bad")

    with running(driver, callback, with_retry(attempts=1, first_backoff_seconds=0.001)):
        until(lambda: driver.committed == {("t", 1): 2})
        until(lambda: "partition waits" in caplog.text)

    assert driver.committed == {("t", 1): 2}


@pytest.mark.req("MQ-7")
def test_a_sink_that_fails_loses_nothing() -> None:
    driver = ConsumerDriver(record(0))
    taken: list[Message] = []

    def sink(_ctx: Context, message: Message, _error: Exception) -> None:
        taken.append(message)
        if len(taken) < 3:
            raise OSError("away")

    def callback(_ctx: Context, _message: Message) -> None:
        raise ValueError("bad")

    options = (with_retry(attempts=1, first_backoff_seconds=0.001), with_dead_letter(sink))
    with running(driver, callback, *options):
        until(lambda: driver.committed == {("t", 0): 1})

    assert len(taken) == 3


@pytest.mark.req("MQ-4")
def test_a_rebalance_waits_for_the_message_in_flight_and_commits_it() -> None:
    driver = ConsumerDriver(record(0), record(1), record(0, partition=1))
    reached, go_on = threading.Event(), threading.Event()
    handled: list[tuple[int | None, int | None]] = []

    def callback(_ctx: Context, message: Message) -> None:
        if not reached.is_set():
            reached.set()
            assert go_on.wait(30)
        handled.append((message.partition, message.offset))

    with running(driver, callback, interval=60) as consumer:
        assert reached.wait(30)
        driver.to_revoke = [("t", 0)]
        threading.Timer(0.02, go_on.set).start()
        until(lambda: driver.committed == {("t", 0): 1})
        until(lambda: (1, 0) in handled)
        rebalances = consumer.stats()["rebalances"]

    assert handled == [(0, 0), (1, 0)]
    assert rebalances == 1


def test_a_slow_callback_pauses_its_partition_and_not_the_consumer() -> None:
    driver = ConsumerDriver(*(record(offset) for offset in range(6000)))
    go_on = threading.Event()

    with running(driver, lambda _ctx, _message: bool(go_on.wait(30))):
        until(lambda: driver.paused == [("t", 0)])
        go_on.set()
        until(lambda: driver.paused == [])
        until(lambda: driver.committed == {("t", 0): 6000})


def test_a_commit_that_fails_is_logged_and_made_good(caplog: pytest.LogCaptureFixture) -> None:
    driver = ConsumerDriver(record(0))
    driver.refuses_commits = True

    with running(driver, lambda _ctx, _message: None):
        until(lambda: "offsets not committed" in caplog.text)
        driver.refuses_commits = False
        driver.waiting = [record(1)]
        until(lambda: driver.committed == {("t", 0): 2})


def test_lag_is_what_stands_in_kafka_and_is_not_finished() -> None:
    driver = ConsumerDriver(record(4), record(5))
    go_on = threading.Event()

    with running(driver, lambda _ctx, _message: bool(go_on.wait(30))) as consumer:
        until(lambda: consumer.stats()["lag"] == {"t-0": 6})
        assert consumer.stats()["queued"] == 2
        go_on.set()
        until(lambda: consumer.stats()["queued"] == 0)


@pytest.mark.req("MQ-3")
def test_a_tracer_is_given_from_outside_and_runs_around_sends_and_callbacks() -> None:
    spans: list[Any] = []

    @contextlib.contextmanager
    def tracer(name: str, ctx: Context, attributes: Mapping[str, str]) -> Iterator[None]:
        spans.append((name, ctx.trace_id, dict(attributes)))
        yield

    ctx = Context(trace_id="d" * 32)
    options = (with_tracer(tracer),)
    Producer(ProducerDriver(), collect(options)).send_sync(ctx, Message("t", None, b""))
    driver = ConsumerDriver(record(0, trace_id=b"d" * 32))
    with running(driver, lambda _ctx, _message: None, *options):
        until(lambda: driver.committed)

    assert spans == [
        ("mq.send", "d" * 32, {"topic": "t"}),
        ("mq.consume", "d" * 32, {"topic": "t"}),
    ]
