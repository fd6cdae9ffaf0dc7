"""The command tasks: what they read, and what they publish when they are done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import pytest

from chalicelib.broker import decode
from chalicelib.broker.records import unpack
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.delivery import DeliveryService
from chalicelib.logic.log import Submission
from chalicelib.logic.presence import PresenceService
from chalicelib.logic.presence_news import PresenceNews, PresenceNewsService
from chalicelib.models import Connection, Placed
from chalicelib.mq import Message
from chalicelib.task.commands import (
    register_deliver,
    register_password_resets,
    register_presence,
)
from chalicelib.task.outbox import Outbox
from tests.unit.broker_fakes import FakeDelays, Fixture, trigger_event


class Delivery:
    """Numbers everything, or is away."""

    def __init__(self) -> None:
        self.away = False

    def deliver(
        self,
        submissions: Iterable[Submission],
        *,
        committed: Callable[[Sequence[Placed]], object],
    ) -> list[Placed]:
        if self.away:
            raise UnavailableError("away")
        placed: list[Placed] = []
        for one in submissions:
            placed.extend(
                Placed(one.conversation_id, len(placed) + 1, one.sender_id, body["id"], "{}")
                for body in one.messages
            )
        committed(placed)
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


def test_what_was_stored_is_handed_on_before_the_batch_is_done(on: Fixture) -> None:
    stored: list[Placed] = []
    one = cast(DeliveryService, Delivery())
    register_deliver(on.broker, lambda: one, stored=stored.extend)

    on.broker.run("fanout", decode(trigger_event(deliver("d-a-b", 2))))

    assert [message.id for message in stored] == ["m0", "m1"]


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


def test_a_password_reset_that_cannot_be_sent_holds_nobody_up_and_is_tried_later() -> None:
    class Resets:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def send_token(self, username: str) -> None:
            self.asked.append(username)
            if username == "ann":
                raise UnavailableError("SES answered 503")

    on, resets = Fixture(), Resets()
    register_password_resets(on.broker, cast("Any", lambda: resets))
    outbox = Outbox(on.kafka, on.delays)
    for name in ("ann", "bob"):
        outbox.reset_password(Context(), name)

    on.broker.run("tasks", decode(trigger_event(*on.kafka.sent)))

    assert resets.asked == ["ann", "bob"]
    assert len(on.delays.kept) == 1
    assert on.parked == []


class Presence:
    """Tells whom it is asked to; closes nothing."""

    def __init__(self) -> None:
        self.told: list[PresenceNews] = []

    def tell(self, batch: Iterable[PresenceNews]) -> None:
        self.told.extend(batch)

    def close(self, connections: Sequence[Connection]) -> list[Connection]:
        return list(connections)


@pytest.mark.req("APP-8", "TASK-6")
def test_friends_are_told_and_what_cannot_be_closed_is_closed_later(on: Fixture) -> None:
    made, delays = Presence(), FakeDelays()
    outbox = Outbox(on.kafka, delays)
    register_presence(
        on.broker,
        news=lambda: cast(PresenceNewsService, made),
        presence=lambda: cast(PresenceService, made),
        outbox=outbox,
    )
    outbox.presence(["bob"])
    outbox.close(
        [
            Connection(
                id="c1", user_id="bob", device_id="d", session_id="s", connected_at=1, expires_at=2
            )
        ]
    )

    on.broker.run("tasks", decode(trigger_event(*on.kafka.sent)))

    assert made.told == [PresenceNews(user_id="bob")]
    ((_, record),) = delays.kept.values()
    assert json.loads(unpack(record).value)["task"] == "close"
