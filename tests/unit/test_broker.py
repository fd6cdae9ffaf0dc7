from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.broker import BaseEvent, Broker, Command, Publisher, decode
from chalicelib.context import Context
from chalicelib.mq import Message


class Producer:
    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send_sync(self, _ctx: Context, *messages: Message) -> list[Message]:
        self.sent.extend(messages)
        return list(messages)

    def close(self) -> None:
        self.sent.clear()


class Parked(list[tuple[Command, Exception]]):
    def __call__(self, command: Command, error: Exception) -> None:
        self.append((command, error))


def broker() -> tuple[Broker, Producer, Parked]:
    producer, parked = Producer(), Parked()
    return Broker(Publisher(lambda: producer), dead_letter=parked), producer, parked  # type: ignore[arg-type, return-value]


def trigger_event(*messages: Message) -> dict[str, Any]:
    records = [
        {
            "topic": message.topic,
            "partition": 3,
            "offset": offset,
            "timestamp": 1700000000000,
            "key": base64.b64encode(message.key or b"").decode(),
            "value": base64.b64encode(message.value).decode(),
            "headers": [{"trace_id": list(b"abc")}],
        }
        for offset, message in enumerate(messages)
    ]
    return {"eventSource": "aws:kafka", "records": {"TASKS-3": records}}


@pytest.mark.req("TASK-3")
def test_a_task_that_was_enqueued_is_carried_out_with_its_arguments_key_and_place() -> None:
    app, producer, _ = broker()
    seen: list[Command] = []

    @app.task("greet")
    def greet(commands: Sequence[Command]) -> None:
        seen.extend(commands)

    greet.kiq(Context(), "k1", name="Zoë")
    app.run(decode(trigger_event(*producer.sent)))

    (command,) = seen
    assert command.args == {"name": "Zoë"}
    assert (command.key, command.source, command.offset) == ("k1", "TASKS-3", 0)
    assert command.trace_id == "abc"


@pytest.mark.req("TASK-4", "TASK-5")
def test_an_event_reaches_its_listener_as_a_raw_dict() -> None:
    app, producer, _ = broker()
    seen: list[dict[str, Any]] = []
    app.listener("user.registered")(lambda _ctx, payload: seen.append(payload))

    app.publish(Context(), "user.registered", BaseEvent(payload={"id": "u1", "new_field": 1}))
    app.run(decode(trigger_event(*producer.sent)))

    assert producer.sent[0].topic == "EVENTS"
    assert seen == [{"id": "u1", "new_field": 1}]


@pytest.mark.req("TASK-5")
def test_an_event_of_an_unsupported_version_is_skipped_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, producer, parked = broker()
    seen: list[dict[str, Any]] = []
    app.listener("user.registered")(lambda _ctx, payload: seen.append(payload))

    app.publish(Context(), "user.registered", BaseEvent(event_version="2.0"))
    app.publish(Context(), "user.registered", BaseEvent(event_version="1.7"))
    app.run(decode(trigger_event(*producer.sent)))

    assert len(seen) == 1
    assert "unsupported version" in caplog.text
    assert parked == []


@pytest.mark.parametrize("value", [b"", b"rubbish", b"[]", b'{"v":1,"task":"unknown"}'])
def test_a_record_that_can_never_succeed_is_parked_and_the_others_go_on(value: bytes) -> None:
    app, _, parked = broker()
    seen: list[Command] = []
    greet = app.task("greet")(seen.extend)

    good = greet.message("k", {})
    app.run(decode(trigger_event(Message("TASKS", b"k", value), good)))

    assert len(seen) == 1
    assert [command.offset for command, _ in parked] == [0]


def test_a_record_in_a_newer_format_is_left_to_a_newer_function() -> None:
    app, _, parked = broker()
    newer = Message("TASKS", b"k", json.dumps({"v": 2, "task": "greet"}).encode())

    with pytest.raises(RuntimeError, match="format 2"):
        app.run(decode(trigger_event(newer)))

    assert parked == []


def test_a_handler_that_fails_has_the_batch_delivered_again() -> None:
    app, producer, _ = broker()

    @app.task("fail")
    def fail(_commands: Sequence[Command]) -> None:
        raise OSError("store away")

    fail.kiq(Context(), "k")

    with pytest.raises(OSError, match="store away"):
        app.run(decode(trigger_event(*producer.sent)))
