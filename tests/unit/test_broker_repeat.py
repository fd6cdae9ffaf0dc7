from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from chalicelib.broker import Command, repeat
from chalicelib.context import Context
from chalicelib.mq import Consumer, Message
from tests.unit.broker_fakes import Fixture

HOUR = 3600.0


class FakeConsumer:
    """Gives its messages, each until its callback succeeds, and then waits to be closed."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._closed = threading.Event()

    def subscribe(self, callback: Callable[[Context, Message], object]) -> None:
        for message in self._messages:
            while True:
                try:
                    callback(Context(), message)
                except OSError:
                    time.sleep(0.05)
                else:
                    break
        assert self._closed.wait(30)

    def close(self) -> None:
        self._closed.set()


def message(task: str, number: int, age: float) -> Message:
    value = json.dumps({"v": 1, "task": task, "args": {"number": number}}).encode()
    at = int((time.time() - age) * 1000)
    return Message("TASKS", b"k", value, {}, partition=0, offset=number, timestamp_ms=at)


@pytest.fixture
def on() -> Fixture:
    return Fixture()


def run(on: Fixture, *messages: Message) -> int:
    asked: list[tuple[str, str]] = []

    def consumer(topic: str, group: str) -> Consumer:
        asked.append((topic, group))
        return cast(Consumer, FakeConsumer(messages))

    on.kafka.consumer = consumer  # type: ignore[method-assign]
    count = repeat(
        on.broker,
        {"deliver": "fanout"},
        consumer_group="again",
        since=time.time() - HOUR,
        idle_seconds=0.1,
    )
    assert asked == [("TASKS", "again")]
    assert on.kafka.closed == 1
    return count


def test_commands_of_the_time_asked_for_are_carried_out_in_order_and_no_others(on: Fixture) -> None:
    done: list[Any] = []
    on.broker.batch_task("deliver", group="fanout")(
        lambda commands: done.extend(one.args["number"] for one in commands)
    )
    on.broker.batch_task("broadcast")(lambda _: pytest.fail("nobody asked for this one"))
    unreadable = Message("TASKS", b"k", b"?", {}, partition=0, offset=9, timestamp_ms=1)

    count = run(
        on,
        message("deliver", 1, 2 * HOUR),
        unreadable,
        message("deliver", 2, HOUR / 2),
        message("broadcast", 3, HOUR / 2),
        message("deliver", 4, 60.0),
        message("deliver", 5, -60.0),
    )

    assert (count, done) == (2, [2, 4])
    assert on.parked == []


def test_a_command_that_fails_is_waited_for_however_long_it_takes(on: Fixture) -> None:
    attempts: list[int] = []

    def deliver(_commands: Sequence[Command]) -> None:
        attempts.append(1)
        if len(attempts) < 8:
            raise OSError("the store is away")

    on.broker.batch_task("deliver", group="fanout")(deliver)

    assert run(on, message("deliver", 1, 60.0)) == 1
    assert len(attempts) == 8


def test_nothing_to_do_ends(on: Fixture) -> None:
    assert run(on) == 0
