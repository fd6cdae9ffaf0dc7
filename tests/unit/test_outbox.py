"""What services hand to Kafka, now or later."""

from __future__ import annotations

import json

import pytest

from chalicelib.broker.records import unpack
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.broadcasts import NoticeChunk
from chalicelib.models import AckStatus, Connection, Notice
from chalicelib.task.outbox import Outbox
from tests.fakes_admin import letter
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


@pytest.mark.req("APP-8")
def test_what_friends_are_told_is_found_out_when_it_is_carried_out() -> None:
    kafka, delays = FakeKafka(), FakeDelays()
    outbox = Outbox(kafka, delays)

    outbox.presence(["bob", "ann"])
    outbox.presence_later(["cat", "cat"])

    assert [message.key for message in kafka.sent] == [b"bob", b"ann"]
    ((_, record),) = delays.kept.values()
    later = unpack(record)
    bodies = [json.loads(message.value) for message in (kafka.sent[0], later)]
    assert [one["task"] for one in bodies] == ["presence", "presence"]
    assert [one["args"]["user_id"] for one in bodies] == ["bob", "cat"]
    assert {one["args"]["status"] for one in bodies} == {""}


def test_connections_are_closed_at_once_or_later() -> None:
    kafka, delays = FakeKafka(), FakeDelays()
    outbox = Outbox(kafka, delays)

    outbox.close([CONNECTION])
    outbox.close_later([CONNECTION])

    ((_, record),) = delays.kept.values()
    assert [json.loads(one.value) for one in kafka.sent] == [json.loads(unpack(record).value)]
    assert kafka.sent[0].key == b"bob"


NOTICE = Notice(id="n1", content="Hi", created_at="2026-11-21T08:00:00.000Z")


def test_the_chunks_of_a_notice_are_spread_over_the_partitions() -> None:
    kafka = FakeKafka()
    outbox = Outbox(kafka, FakeDelays())
    chunks = [NoticeChunk(notice=NOTICE, connection_ids=[one]) for one in ("c1", "c2")]

    outbox.broadcast(Context(), NOTICE)
    outbox.push_notice(chunks)

    assert [message.key for message in kafka.sent] == [b"n1", b"n1-0", b"n1-1"]
    args = [json.loads(message.value)["args"] for message in kafka.sent]
    assert args[0] == args[1]["notice"]
    assert [one["connection_ids"] for one in args[1:]] == [["c1"], ["c2"]]


def test_a_chunk_that_failed_waits_in_the_store() -> None:
    kafka, delays = FakeKafka(), FakeDelays()
    chunk = NoticeChunk(notice=NOTICE, connection_ids=["c1"], attempt=1)

    Outbox(kafka, delays).push_notice_later(chunk)

    assert kafka.sent == []
    ((_, record),) = delays.kept.values()
    assert json.loads(unpack(record).value)["args"]["attempt"] == 1


def test_a_dead_letter_goes_back_to_its_topic() -> None:
    kafka = FakeKafka()

    Outbox(kafka, FakeDelays()).resend(Context(), letter("EVENTS", name="e", version="1.0"))

    assert [(message.topic, message.key) for message in kafka.sent] == [("EVENTS", b"bob")]
