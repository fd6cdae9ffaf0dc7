from __future__ import annotations

import json

import pytest

from chalicelib.context import Context
from chalicelib.errors import TooLargeError, UnavailableError
from chalicelib.logic.broadcasts import CHUNK, MAX_ATTEMPTS, BroadcastService, NoticeChunk
from chalicelib.models import Notice
from tests.fakes import FakeConnections, FakePush, World
from tests.fakes_accounts import Clock
from tests.fakes_admin import FakeEntries, FakeOutbox, new_audit

ADMIN = Context(user="uadmin")
NOTICE = Notice(id="n1", content="Back in a minute.", created_at="2027-01-15T08:00:00.000Z")


class Desk:
    def __init__(self) -> None:
        self.world = World()
        self.outbox = FakeOutbox()
        self.entries = FakeEntries()
        clock = Clock()
        self.broadcasts = BroadcastService(
            outbox=self.outbox,
            connections=FakeConnections(self.world),
            push=FakePush(self.world),
            audit=new_audit(self.entries, clock),
            clock=clock,
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("APP-16")
def test_a_notice_reaches_everybody_who_is_connected(desk: Desk) -> None:
    desk.world.user("ann", "phone", "laptop")
    desk.world.user("bob", "tablet")
    desk.world.user("cat")

    sent = desk.broadcasts.send(ADMIN, "Back in a minute.", notice_id="n1")
    for notice in desk.outbox.notices:
        desk.broadcasts.spread(notice)
    for chunk in desk.outbox.chunks:
        desk.broadcasts.push(chunk)

    data = {"id": "n1", "content": sent.content, "created_at": "2027-01-15T08:00:00.000Z"}
    frame = {"type": "event", "event": "notice", "data": data}
    told = {key: [json.loads(text) for text in texts] for key, texts in desk.world.received.items()}
    assert told == {"phone": [frame], "laptop": [frame], "tablet": [frame]}


def test_many_connections_are_several_chunks(desk: Desk) -> None:
    for number in range(CHUNK // 25 + 1):
        desk.world.user(f"u{number}", *(f"c{number}-{device}" for device in range(25)))

    desk.broadcasts.spread(NOTICE)

    assert [len(chunk.connection_ids) for chunk in desk.outbox.chunks] == [CHUNK, 25]


def test_nobody_connected_is_no_chunk(desk: Desk) -> None:
    desk.broadcasts.spread(NOTICE)

    assert desk.outbox.chunks == []


def test_connections_whose_post_failed_get_the_notice_later_and_no_others(desk: Desk) -> None:
    desk.world.gone.add("gone")
    chunk = NoticeChunk(notice=NOTICE, connection_ids=["phone", "gone"])

    desk.broadcasts.push(chunk)
    assert desk.outbox.later == []

    desk.world.push_is_away = True
    desk.broadcasts.push(chunk)
    (later,) = desk.outbox.later
    assert (later.connection_ids, later.attempt) == (["phone", "gone"], 1)


def test_a_connection_that_is_never_reached_is_given_up(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.world.push_is_away = True

    desk.broadcasts.push(
        NoticeChunk(notice=NOTICE, connection_ids=["phone"], attempt=MAX_ATTEMPTS - 1)
    )

    assert desk.outbox.later == []
    assert [record.message for record in caplog.records] == ["notice not delivered"]


def test_a_notice_may_be_as_long_as_a_message(desk: Desk) -> None:
    desk.broadcasts.send(ADMIN, "é" * 8192, notice_id="n1")
    with pytest.raises(TooLargeError):
        desk.broadcasts.send(ADMIN, "é" * 8192 + "!", notice_id="n2")

    assert [notice.id for notice in desk.outbox.notices] == ["n1"]


def test_the_audit_log_says_what_became_of_it(desk: Desk) -> None:
    desk.broadcasts.send(ADMIN, "x" * 1000, notice_id="n1")
    desk.outbox.is_away = True
    with pytest.raises(UnavailableError):
        desk.broadcasts.send(ADMIN, "again", notice_id="n2")

    logged = [
        (one.target, one.result, one.details["content"]) for one in desk.entries.rows.values()
    ]
    assert logged == [("n1", "done", "x" * 500), ("n2", "unavailable", "again")]
