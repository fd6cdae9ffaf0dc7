"""The tasks and listeners of webhooks and mobile devices."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from chalicelib.broker import decode
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.mobile_push import MobilePushService
from chalicelib.logic.webhook_delivery import WebhookDelivery
from chalicelib.logic.webhook_fanout import ChangedTogether, StoredTogether, WebhookFanout
from chalicelib.models import TargetKind, WebhookPost
from chalicelib.task.events import MessagesChanged, MessagesStored
from chalicelib.task.integration import register_mobile_push, register_webhooks
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
        self.changes: list[ChangedTogether] = []
        self.delivered: list[tuple[str, WebhookPost]] = []
        self.away = False
        register_webhooks(
            on.broker,
            fanout=lambda: cast(WebhookFanout, self),
            delivery=lambda: cast(WebhookDelivery, self),
        )

    def spread(self, stored: Sequence[StoredTogether]) -> None:
        self.spread_out.extend(stored)

    def spread_changes(self, changed: Sequence[ChangedTogether]) -> None:
        self.changes.extend(changed)

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


class Phones:
    """Takes what is to be notified; SNS may be away."""

    def __init__(self, on: Fixture) -> None:
        self.pushed: list[StoredTogether] = []
        self.attempts = 0
        self.away = False
        self.looked_ahead: list[Sequence[StoredTogether]] = []
        register_mobile_push(on.broker, lambda: cast(MobilePushService, self))

    def look_ahead(self, stored: Sequence[StoredTogether]) -> None:
        if self.away:
            raise UnavailableError("the store is away")
        self.looked_ahead.append(stored)

    def push(self, stored: StoredTogether) -> None:
        self.attempts += 1
        if self.away:
            raise UnavailableError("SNS is away")
        self.pushed.append(stored)


def publish_stored(on: Fixture) -> None:
    event = MessagesStored(
        conversation_id="d-ann-bob",
        conversation_type="direct",
        messages=[{"id": "m1", "seq": 1, "sender_id": "ann"}],
    )
    on.broker.publish(Context(), event, key="d-ann-bob")


@pytest.mark.req("TASK-4", "APP-11")
def test_phones_are_notified_of_an_event_in_its_trace(on: Fixture) -> None:
    phones = Phones(on)
    publish_stored(on)

    on.broker.run("mobile_push", decode(on.taken()))

    assert phones.pushed == [
        StoredTogether(
            trace_id="abc",
            conversation_id="d-ann-bob",
            conversation_type="direct",
            senders={1: "ann"},
        )
    ]


def test_a_batch_is_looked_at_as_a_whole_before_the_first_notification(on: Fixture) -> None:
    phones = Phones(on)
    for _ in range(3):
        publish_stored(on)

    on.broker.run("mobile_push", decode(on.taken()))

    assert [list(one) for one in phones.looked_ahead] == [phones.pushed]
    assert len(phones.pushed) == 3


@pytest.mark.req("APP-14")
def test_notifications_that_sns_never_takes_end_as_a_dead_letter_within_minutes(
    on: Fixture,
) -> None:
    phones, started = Phones(on), on.now
    phones.away = True
    publish_stored(on)

    while on.kafka.sent:
        on.broker.run("mobile_push", decode(on.taken()))
        on.now = max([on.now, *(due for due, _ in on.delays.kept.values())])
        on.broker.release(Context())

    ((letter, error),) = on.parked
    assert (phones.attempts, letter.listener, str(error)) == (6, "mobile_push", "SNS is away")
    assert on.now - started < 300


def _args() -> dict[str, Any]:
    return {
        "target": "bot",
        "target_id": "robot",
        "event": "message.stored",
        "conversation_id": "g-1",
        "conversation_type": "group",
        "seq": 7,
    }


@pytest.mark.req("TASK-4", "APP-19")
def test_the_listener_reads_changes_and_a_post_has_its_own(on: Fixture) -> None:
    services = Services(on)
    change = {"id": "x1", "seq": 7, "kind": "edit", "user_id": "ann", "at": "now"}
    event = MessagesChanged(conversation_id="g-1", conversation_type="group", changes=[change])
    post = replace(POST, event="message.edited", change=change)

    on.broker.publish(Context(), event, key="g-1")
    on.broker.run("webhooks", decode(on.taken()))
    Outbox(on.kafka, on.delays).post_webhooks([("t1", post)])
    on.broker.run("webhook_posts", decode(on.taken()))

    (together,) = services.changes
    assert (together.conversation_type, together.changes) == ("group", [change])
    assert [one for _, one in services.delivered] == [post]
