"""A worker: what it starts, in which order, and how it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest

from chalicelib.broker import Broker, Command, Worker, decode, worker
from chalicelib.context import Context
from chalicelib.mq import ConsumeError, Consumer, DeliveryError, Message
from chalicelib.mq.consumer import ConsumeCallback
from tests.unit.broker_fakes import FakeDelays, FakeKafka, trigger_event

SECONDS = 30.0


class FakeConsumer(Consumer):
    """Blocks in `subscribe` until it is closed or fails."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name = name
        self._log = log
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self.subscribed: Future[ConsumeCallback] = Future()

    def subscribe(self, callback: ConsumeCallback) -> None:
        if self._ended.is_set():
            raise ConsumeError("closed")
        self.subscribed.set_result(callback)
        assert self._ended.wait(SECONDS)
        if self._failure is not None:
            raise self._failure

    def end(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self._ended.set()

    def close(self, timeout: float = 0) -> None:
        if not self._ended.is_set():
            self._log.append(f"close {self._name}")
        self._ended.set()

    def stats(self) -> dict[str, Any]:
        return {"group": self._name}


class FakeConnection(FakeKafka):
    """Keeps an account of what the worker does, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        groups = ("shop-tasks", "shop-welcome")
        self.consumers = {group: FakeConsumer(group, self.log) for group in groups}
        self.refused = ""
        self.sends: SimpleQueue[bool] = SimpleQueue()

    def send(self, ctx: Context, *messages: Message) -> None:
        try:
            super().send(ctx, *messages)
        finally:
            self.sends.put(not self.away)

    def ensure_topics(self, ctx: Context, *, partitions: int, replication: int) -> list[str]:
        self.log.append(f"topics {partitions} {replication}")
        return super().ensure_topics(ctx, partitions=partitions, replication=replication)

    def consumer(self, topic: str, group: str) -> Consumer:
        if group == self.refused:
            raise ConsumeError("refused")
        self.log.append(f"consume {topic} {group}")
        return self.consumers[group]

    def close(self) -> None:
        self.log.append("disconnect")


class Running:
    """A broker with two groups, and a worker in a thread."""

    def __init__(self) -> None:
        self.kafka = FakeConnection()
        self.broker = Broker(self.kafka, dead_letter=_nobody, delays=FakeDelays())
        self.greeted: list[str] = []
        self.greet = self.broker.task("greet")(self._greet)
        self.broker.listener("user.registered", name="welcome")(lambda _ctx, _payload: None)
        self._pool = ThreadPoolExecutor(1)

    def start(self, *groups: str, **options: Any) -> tuple[Worker, Future[None]]:
        """A worker whose groups are all consuming, and how it ends."""
        found = Worker(self.broker, prefix="shop", groups=groups, **options)
        ended = self._pool.submit(found.run, partitions=4, replication=3)
        for group in groups or self.broker.groups:
            self.kafka.consumers[f"shop-{group}"].subscribed.result(SECONDS)
        return found, ended

    def end(self) -> None:
        for one in self.kafka.consumers.values():
            one.end()
        self._pool.shutdown()

    def _greet(self, _ctx: Context, name: str) -> None:
        if name == "nobody":
            raise OSError("there is nobody")
        self.greeted.append(name)


def _nobody(command: Command, error: Exception) -> None:
    raise AssertionError(command, error)


@pytest.fixture
def on() -> Iterator[Running]:
    running = Running()
    yield running
    running.end()


@pytest.mark.req("TASK-1", "TASK-7")
def test_topics_then_hooks_then_consumers_and_all_is_closed_in_order(on: Running) -> None:
    on.broker.on_startup(lambda: on.kafka.log.append("startup hook"))
    on.broker.on_shutdown(lambda: on.kafka.log.append("shutdown hook"))

    running, ended = on.start()
    running.stop()
    ended.result(SECONDS)

    starts, ends = on.kafka.log[:4], on.kafka.log[4:]
    assert starts[:2] == ["topics 4 3", "startup hook"]
    assert starts[2:] == ["consume TASKS shop-tasks", "consume EVENTS shop-welcome"]
    assert {"close shop-tasks", "close shop-welcome"} == set(ends[:-2])
    assert ends[-2:] == ["shutdown hook", "disconnect"]


def test_only_the_chosen_groups_are_consumed(on: Running) -> None:
    running, ended = on.start("welcome")
    running.stop()
    ended.result(SECONDS)

    assert on.kafka.log[1:] == [
        "consume EVENTS shop-welcome",
        "close shop-welcome",
        "disconnect",
    ]


def test_a_group_that_is_not_there_is_refused_with_those_that_are(on: Running) -> None:
    with pytest.raises(ValueError, match=r"tasks, welcome, found \['tusks'\]"):
        Worker(on.broker, prefix="shop", groups=["tasks", "tusks"])

    assert on.kafka.log == []


@pytest.mark.req("TASK-9")
def test_a_worker_and_a_trigger_carry_out_the_same_task(on: Running) -> None:
    message = on.greet.message("k", {"name": "anna"})

    on.start()
    on.kafka.consumers["shop-tasks"].subscribed.result()(Context(), message)
    on.broker.run("tasks", decode(trigger_event(message)))

    assert on.greeted == ["anna", "anna"]


def test_a_failed_task_is_left_to_the_consumer_which_brings_it_again(on: Running) -> None:
    on.start()
    bring = on.kafka.consumers["shop-tasks"].subscribed.result()

    with pytest.raises(OSError, match="nobody"):
        bring(Context(), on.greet.message("k", {"name": "nobody"}))

    assert on.greeted == []


@pytest.mark.req("TASK-7")
@pytest.mark.parametrize("failure", [ConsumeError("not allowed"), RuntimeError("a bug")])
def test_a_consumer_that_fails_ends_the_worker_and_the_other_consumers(
    on: Running, failure: Exception
) -> None:
    _, ended = on.start()

    on.kafka.consumers["shop-tasks"].end(failure)

    assert ended.exception(SECONDS) is failure
    assert "close shop-welcome" in on.kafka.log
    assert on.kafka.log[-1] == "disconnect"


@pytest.mark.req("TASK-7")
def test_a_consumer_that_returns_as_at_sigterm_ends_the_worker(on: Running) -> None:
    _, ended = on.start()

    on.kafka.consumers["shop-welcome"].end()

    assert ended.exception(SECONDS) is None
    assert "close shop-tasks" in on.kafka.log
    assert on.kafka.log[-1] == "disconnect"


def test_a_consumer_that_cannot_be_opened_ends_those_that_were(on: Running) -> None:
    on.kafka.refused = "shop-welcome"

    with pytest.raises(ConsumeError, match="refused"):
        Worker(on.broker, prefix="shop").run()

    assert on.kafka.log[-2:] == ["close shop-tasks", "disconnect"]


def test_nothing_is_consumed_when_a_startup_hook_fails(on: Running) -> None:
    on.broker.on_startup(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        Worker(on.broker, prefix="shop").run()

    assert on.kafka.log == ["topics 12 1", "disconnect"]


def test_a_worker_that_is_stopped_while_it_starts_just_ends(on: Running) -> None:
    stopping = Worker(on.broker, prefix="shop")
    on.broker.on_startup(stopping.stop)
    for one in on.kafka.consumers.values():
        one.close()  # as `stop` may come before `subscribe`

    stopping.run()

    assert on.kafka.log[-1] == "disconnect"
    assert not any(one.subscribed.done() for one in on.kafka.consumers.values())


@pytest.mark.req("TASK-7")
def test_ctrl_c_ends_a_worker_like_stop(on: Running) -> None:
    def interrupt() -> None:
        for one in on.kafka.consumers.values():
            one.subscribed.result(SECONDS)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    Worker(on.broker, prefix="shop").run()
    thread.join()

    assert {"close shop-tasks", "close shop-welcome"} == set(on.kafka.log[-3:-1])
    assert on.kafka.log[-1] == "disconnect"


def test_statistics_of_each_group_are_reported(
    on: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STATS_SECONDS", 0.01)
    reported: SimpleQueue[tuple[str, dict[str, Any]]] = SimpleQueue()

    on.start(on_stats=lambda group, stats: reported.put((group, stats)))

    assert reported.get(timeout=SECONDS) == ("tasks", {"group": "shop-tasks"})
    assert reported.get(timeout=SECONDS) == ("welcome", {"group": "shop-welcome"})


def test_what_is_due_is_released_even_after_kafka_was_away(
    on: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "RELEASE_SECONDS", 0.01)
    on.greet.with_options(delay_seconds=0.01).kiq(Context(), "k", "anna")
    on.kafka.away = True

    on.start()
    assert not on.kafka.sends.get(timeout=SECONDS)
    on.kafka.away = False
    while not on.kafka.sends.get(timeout=SECONDS):
        pass

    assert on.kafka.sent[0].value == on.greet.message("k", {"name": "anna"}).value
    assert any(one.exc_info and one.exc_info[0] is DeliveryError for one in caplog.records)
