"""The tasks and listeners of webhooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from chalicelib.broker import decode
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.webhook_delivery import WebhookDelivery
from chalicelib.logic.webhook_fanout import StoredTogether, WebhookFanout
from chalicelib.models import TargetKind, WebhookPost
from chalicelib.task.events import MessagesStored
from chalicelib.task.integration import register_webhooks
from chalicelib.task.outbox import Outbox
from tests.unit.broker_fakes import Fixture

POST = WebhookPost(
    target=TargetKind.BOT,
    target_id="robot",
    event="message.stored",
    conversation_id="g-1",
    conversation_type="group",
    seq=7,
)


class Services:
    """Takes what is spread and delivered; a receiver may be away."""

    def __init__(self, on: Fixture) -> None:
        self.spread_out: list[StoredTogether] = []
        self.delivered: list[tuple[str, WebhookPost]] = []
        self.away = False
        register_webhooks(
            on.broker,
            fanout=lambda: cast(WebhookFanout, self),
            delivery=lambda: cast(WebhookDelivery, self),
        )

    def spread(self, stored: Sequence[StoredTogether]) -> None:
        self.spread_out.extend(stored)

    def deliver(self, ctx: Context, post: WebhookPost) -> None:
        if self.away:
            raise UnavailableError("away")
        self.delivered.append((ctx.trace_id, post))


@pytest.fixture
def on() -> Fixture:
    return Fixture()


@pytest.mark.req("TASK-4", "APP-19")
def test_the_listener_reads_references(on: Fixture) -> None:
    services = Services(on)
    references = [{"id": "m1", "seq": 1, "sender_id": "ann"}]
    event = MessagesStored(
        conversation_id="d-ann-bob", conversation_type="direct", messages=references
    )
    on.broker.publish(Context(), event, key="d-ann-bob")

    on.broker.run("webhooks", decode(on.taken()))

    assert services.spread_out == [
        StoredTogether(
            trace_id="abc",
            conversation_id="d-ann-bob",
            conversation_type="direct",
            senders={1: "ann"},
        )
    ]


def test_a_post_goes_through_kafka_in_its_trace_and_in_order_of_its_receiver(on: Fixture) -> None:
    services = Services(on)

    Outbox(on.kafka, on.delays).post_webhooks([("t1", POST), ("t2", POST)])

    assert on.kafka.traces == ["t1", "t2"]
    assert {message.key for message in on.kafka.sent} == {b"robot"}
    on.broker.run("webhook_posts", decode(on.taken()))
    assert [post for _, post in services.delivered] == [POST, POST]


@pytest.mark.req("APP-14")
def test_one_that_never_answers_ends_as_a_dead_letter_after_hours(on: Fixture) -> None:
    services, attempts, started = Services(on), 0, on.now
    services.away = True
    Outbox(on.kafka, on.delays).post_webhooks([("t1", POST)])

    while on.kafka.sent:
        on.broker.run("webhook_posts", decode(on.taken()))
        attempts += 1
        on.now = max([on.now, *(due for due, _ in on.delays.kept.values())])
        on.broker.release(Context())

    ((letter, error),) = on.parked
    assert attempts == 18
    assert on.now - started > 600
    assert (letter.name, letter.key, str(error)) == ("post_webhook", "robot", "away")
    assert json.dumps(dict(letter.args)) == json.dumps(_args())


def test_a_receiver_of_an_unknown_kind_is_poison(on: Fixture) -> None:
    Services(on)
    message = Outbox(on.kafka, on.delays)._webhook.message("x", {**_args(), "target": "pigeon"})
    on.kafka.send(Context(), message)

    on.broker.run("webhook_posts", decode(on.taken()))

    ((_, error),) = on.parked
    assert "pigeon" in str(error)


def _args() -> dict[str, Any]:
    return {
        "target": "bot",
        "target_id": "robot",
        "event": "message.stored",
        "conversation_id": "g-1",
        "conversation_type": "group",
        "seq": 7,
    }
