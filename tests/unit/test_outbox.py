"""What services hand to Kafka, now or later."""

from __future__ import annotations

import json

import pytest

from chalicelib.broker.records import unpack
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.models import AckStatus, Connection
from chalicelib.task.outbox import Outbox
from tests.unit.broker_fakes import FakeDelays, FakeKafka

CONNECTION = Connection(
    id="c1", user_id="bob", device_id="d", session_id="s", connected_at=1.0, expires_at=2
)


def test_commands_have_the_key_that_keeps_them_in_order() -> None:
    kafka = FakeKafka()
    outbox = Outbox(kafka, FakeDelays())

    outbox.submit(Context(), [("d-a-b", {"type": "direct"})])
    outbox.drain([CONNECTION])
    outbox.receipt(Context(), "bob", "d-a-b", 3, AckStatus.READ)

    assert [message.key for message in kafka.sent] == [b"d-a-b", b"bob", b"d-a-b"]
    tasks = [json.loads(message.value)["task"] for message in kafka.sent]
    assert tasks == ["deliver", "drain", "receipt"]


def test_what_is_to_be_drained_later_waits_in_the_store() -> None:
    kafka, delays = FakeKafka(), FakeDelays()

    Outbox(kafka, delays).drain_later([CONNECTION])

    assert kafka.sent == []
    ((_, record),) = delays.kept.values()
    message = unpack(record)
    assert (message.topic, message.key) == ("TASKS", b"bob")
    assert json.loads(message.value)["args"]["id"] == "c1"


def test_nobody_to_drain_sends_nothing_even_while_kafka_is_away() -> None:
    kafka = FakeKafka()
    kafka.away = True

    Outbox(kafka, FakeDelays()).drain([])

    with pytest.raises(UnavailableError):
        Outbox(kafka, FakeDelays()).drain([CONNECTION])
