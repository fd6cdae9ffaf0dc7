"""A dead letter goes back to where it came from, as the record that it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib.broker import Broker, PoisonError, decode
from chalicelib.context import Context
from chalicelib.models import DeadLetter
from chalicelib.mq import Message
from chalicelib.task.replay import record
from tests.fakes_admin import letter
from tests.unit.broker_fakes import Fixture, trigger_event


@pytest.fixture
def on() -> Fixture:
    return Fixture()


def parked(on: Fixture) -> list[DeadLetter]:
    """What the composition root keeps of parked records."""
    return [
        DeadLetter(
            topic=command.source.rpartition("-")[0],
            partition=3,
            offset=command.offset,
            parked_at=1.0,
            error=str(error),
            name=command.name,
            key=command.key,
            args=json.dumps(dict(command.args)),
            trace_id=command.trace_id,
            raw=command.raw,
            version=command.version,
            listener=command.listener,
            idempotency_key=command.idempotency_key,
        )
        for command, error in on.parked
    ]


def failing_until_mended(
    broker: Broker, register: Callable[..., Any]
) -> tuple[list[Any], set[str]]:
    seen: list[Any] = []
    mended: set[str] = set()

    @register(broker)
    def work(_ctx: Context, *given: Any, **arguments: Any) -> None:
        if not mended:
            raise PoisonError("not yet")
        seen.append(given or arguments)

    return seen, mended


@pytest.mark.req("APP-14")
def test_a_replayed_task_is_carried_out_with_its_key_trace_and_arguments(on: Fixture) -> None:
    seen, mended = failing_until_mended(on.broker, lambda broker: broker.task("greet"))
    value = b'{"v":1,"task":"greet","args":{"name":"Zo\xc3\xab"},"attempt":2,"idempotency_key":"k"}'
    on.broker.run("tasks", decode(trigger_event(Message("TASKS", b"bob", value))))

    (sent,) = map(record, parked(on))
    mended.add("greet")
    on.broker.run("tasks", decode(trigger_event(sent)))

    assert seen == [{"name": "Zoë"}]
    assert (sent.topic, sent.key, sent.headers) == ("TASKS", b"bob", {"trace_id": b"abc"})
    assert "attempt" not in json.loads(sent.value)
    assert on.done == {"greet#k"}


@pytest.mark.req("APP-14")
def test_a_replayed_event_reaches_only_the_listener_that_gave_it_up(on: Fixture) -> None:
    seen, mended = failing_until_mended(
        on.broker, lambda broker: broker.listener("user.registered", name="failing", versions=["2"])
    )
    others: list[Mapping[str, Any]] = []

    @on.broker.listener("user.registered", versions=["2"])
    def other(_ctx: Context, payload: dict[str, Any]) -> None:
        others.append(payload)

    value = b'{"v":1,"event":"user.registered","event_version":"2.1","payload":{"id":"bob"}}'
    event = trigger_event(Message("EVENTS", b"bob", value))
    for group in ("failing", "other"):
        on.broker.run(group, decode(event))

    (sent,) = map(record, parked(on))
    mended.add("failing")
    for group in ("failing", "other"):
        on.broker.run(group, decode(trigger_event(sent)))

    assert seen == [({"id": "bob"},)]
    assert others == [{"id": "bob"}]


def test_a_record_that_could_not_be_read_goes_back_byte_by_byte() -> None:
    sent = record(letter(raw=b"\xff{", name="", args="{}", key=""))

    assert (sent.value, sent.key) == (b"\xff{", None)
