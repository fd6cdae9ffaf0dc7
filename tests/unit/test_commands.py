"""The command tasks: what they read, and what they publish when they are done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

import pytest

from chalicelib.broker import decode
from chalicelib.errors import UnavailableError
from chalicelib.logic.delivery import DeliveryService
from chalicelib.logic.log import Submission
from chalicelib.models import Placed
from chalicelib.mq import Message
from chalicelib.task.commands import register_deliver
from tests.unit.broker_fakes import Fixture, trigger_event


class Delivery:
    """Numbers everything, or is away."""

    def __init__(self) -> None:
        self.away = False

    def deliver(self, submissions: Iterable[Submission]) -> list[Placed]:
        if self.away:
            raise UnavailableError("away")
        placed: list[Placed] = []
        for one in submissions:
            placed.extend(
                Placed(one.conversation_id, len(placed) + 1, one.sender_id, body["id"], "{}")
                for body in one.messages
            )
        return placed


@pytest.fixture
def on() -> Fixture:
    return Fixture()


@pytest.fixture
def delivery(on: Fixture) -> Delivery:
    made = Delivery()
    register_deliver(on.broker, lambda: cast(DeliveryService, made))
    return made


def deliver(conversation_id: str, count: int, **other: Any) -> Message:
    args = {
        "conversation_id": conversation_id,
        "type": "direct",
        "sender_id": "a",
        "messages": [{"id": f"m{number}"} for number in range(count)],
        **other,
    }
    value = json.dumps({"v": 1, "task": "deliver", "args": args}).encode()
    return Message("TASKS", conversation_id.encode(), value)


@pytest.mark.req("TASK-6")
@pytest.mark.usefixtures("delivery")
def test_an_event_for_each_conversation_follows_what_was_stored(on: Fixture) -> None:
    event = trigger_event(deliver("d-a-b", 2), deliver("d-a-c", 1), deliver("d-a-b", 1))

    on.broker.run("fanout", decode(event))

    assert [message.key for message in on.kafka.sent] == [b"d-a-b", b"d-a-c"]
    payload = json.loads(on.kafka.sent[0].value)["payload"]
    assert (payload["conversation_id"], payload["conversation_type"]) == ("d-a-b", "direct")
    assert [one["id"] for one in payload["messages"]] == ["m0", "m1", "m0"]
    assert on.kafka.traces == ["abc", "abc"]


@pytest.mark.req("TASK-6")
def test_nothing_is_published_when_the_store_is_away(on: Fixture, delivery: Delivery) -> None:
    delivery.away = True

    with pytest.raises(UnavailableError):
        on.broker.run("fanout", decode(trigger_event(deliver("d-a-b", 1))))

    assert on.kafka.sent == []


@pytest.mark.usefixtures("delivery")
def test_a_batch_of_large_frames_makes_no_record_that_kafka_refuses(on: Fixture) -> None:
    event = trigger_event(*(deliver("world", 25, type="world") for _ in range(500)))

    on.broker.run("fanout", decode(event))

    assert max(len(message.value) for message in on.kafka.sent) < 200_000
    payloads = [json.loads(message.value)["payload"]["messages"] for message in on.kafka.sent]
    assert sum(map(len, payloads)) == 500 * 25


@pytest.mark.usefixtures("delivery")
def test_a_command_that_cannot_be_read_is_parked_and_the_others_go_on(on: Fixture) -> None:
    event = trigger_event(deliver("d-a-b", 1, type="no such type"), deliver("d-a-b", 1))

    on.broker.run("fanout", decode(event))

    assert [command.offset for command, _ in on.parked] == [0]
    assert len(on.kafka.sent) == 1
