from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import ScheduledMessage, ScheduledStatus
from chalicelib.repo.delayed import DelayedRepository
from chalicelib.repo.scheduled_messages import ScheduledMessageRepository
from tests.contract.conftest import Connect
from tests.fakes_messaging import FakeScheduledMessages

pytestmark = pytest.mark.req("IM-12")
Scheduled = ScheduledMessageRepository | FakeScheduledMessages
AT = 1_800_000_000.25
LATER = 1_900_000_000.0
DRAFT = {"content": "hallo", "mentions": ["bob"], "attachment": {"id": "a1"}, "expires_in": 60}


@pytest.fixture(params=["fake", "endpoint"])
def scheduled(request: pytest.FixtureRequest) -> Scheduled:
    if request.param == "fake":
        return FakeScheduledMessages()
    return ScheduledMessageRepository(request.getfixturevalue("tables"))


@pytest.fixture
def message() -> ScheduledMessage:
    return ScheduledMessage(
        id="1800000000250-a",
        user_id=f"u{uuid4().hex}",
        draft=DRAFT,
        deliver_at=AT,
        created_at=AT - 100,
    )


def add(scheduled: Scheduled, message: ScheduledMessage, most: int = 3) -> bool:
    return scheduled.add(message, b"send it", max_pending=most)


def test_a_message_is_read_back_whole_and_counted(
    scheduled: Scheduled, message: ScheduledMessage
) -> None:
    assert scheduled.get(message.user_id, message.id) is None
    assert scheduled.pending(message.user_id) == 0

    assert add(scheduled, message)

    assert scheduled.get(message.user_id, message.id) == message
    assert scheduled.pending(message.user_id) == 1


def test_the_same_one_is_not_added_twice(scheduled: Scheduled, message: ScheduledMessage) -> None:
    assert add(scheduled, message)

    assert not add(scheduled, replace(message, draft={}))

    assert scheduled.get(message.user_id, message.id) == message
    assert scheduled.pending(message.user_id) == 1


def test_no_more_are_added_than_may_wait(scheduled: Scheduled, message: ScheduledMessage) -> None:
    assert add(scheduled, message, 2)
    assert add(scheduled, replace(message, id="1800000000250-b"), 2)

    assert not add(scheduled, replace(message, id="1800000000250-c"), 2)

    assert scheduled.pending(message.user_id) == 2


def test_with_a_message_its_record_is_stored_or_neither(
    connect: Connect, message: ScheduledMessage
) -> None:
    tables = connect()
    scheduled, delayed = ScheduledMessageRepository(tables), DelayedRepository(tables)
    record = message.user_id.encode()
    scheduled.add(message, record, max_pending=1)
    second = replace(message, id="1800000000250-b")
    scheduled.add(second, record, max_pending=1)

    due = [(id_, one) for id_, one in delayed.due(AT) if one == record]
    delayed.remove([id_ for id_, _ in due])

    assert len(due) == 1
    assert [one for _, one in delayed.due(AT) if one == record] == []


def test_of_claim_and_cancellation_one_succeeds(
    scheduled: Scheduled, message: ScheduledMessage
) -> None:
    other = replace(message, id="1800000000250-b")
    add(scheduled, message)
    add(scheduled, other)

    assert scheduled.claim(message)
    assert scheduled.remove(other)

    assert not scheduled.claim(message)
    assert not scheduled.remove(message)
    assert not scheduled.claim(other)
    assert not scheduled.remove(other)
    assert scheduled.pending(message.user_id) == 0
    stored = scheduled.get(message.user_id, message.id)
    assert stored == replace(message, status=ScheduledStatus.SENDING)


def test_a_message_that_failed_is_listed_until_it_is_removed(
    scheduled: Scheduled, message: ScheduledMessage
) -> None:
    failed = replace(message, status=ScheduledStatus.FAILED, code="blocked", reason="no")
    add(scheduled, message)
    scheduled.claim(message)
    scheduled.finish(failed, expires_at=LATER)

    assert scheduled.page(message.user_id, start=None, limit=10) == ([failed], None)
    assert scheduled.remove(failed)

    assert scheduled.page(message.user_id, start=None, limit=10) == ([], None)
    assert scheduled.pending(message.user_id) == 0


def test_what_is_gone_is_not_written_again(scheduled: Scheduled, message: ScheduledMessage) -> None:
    scheduled.finish(replace(message, status=ScheduledStatus.SENT), expires_at=LATER)

    assert scheduled.get(message.user_id, message.id) is None


def test_a_list_is_in_order_of_time_without_those_that_were_sent(
    scheduled: Scheduled, message: ScheduledMessage
) -> None:
    ids = [f"18000000{number:05}-a" for number in (5, 1, 4, 2, 3)]
    for id_ in ids:
        add(scheduled, replace(message, id=id_), 10)
    for id_ in (ids[1], ids[4]):
        sent = replace(message, id=id_, status=ScheduledStatus.SENT, draft={})
        scheduled.finish(sent, expires_at=LATER)

    first, start = scheduled.page(message.user_id, start=None, limit=2)
    second, end = scheduled.page(message.user_id, start=start, limit=2)

    assert [one.id for one in (*first, *second)] == [ids[3], ids[2], ids[0]]
    assert end is None


def test_all_of_a_user_s_are_erased_and_nobody_else_s(
    scheduled: Scheduled, message: ScheduledMessage
) -> None:
    other = replace(message, user_id=f"{message.user_id}2")
    for one in (message, other):
        add(scheduled, one)

    scheduled.erase(message.user_id)
    scheduled.erase(message.user_id)

    assert scheduled.get(message.user_id, message.id) is None
    assert scheduled.pending(message.user_id) == 0
    assert scheduled.get(other.user_id, other.id) == other


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, message: ScheduledMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    scheduled = ScheduledMessageRepository(connect())

    for call in (scheduled.pending, scheduled.erase):
        with pytest.raises(UnavailableError):
            call(message.user_id)
    with pytest.raises(UnavailableError):
        add(scheduled, message)
