from __future__ import annotations

import pytest

from chalicelib.context import Context
from chalicelib.errors import ConflictError, NotFoundError, UnavailableError
from chalicelib.logic.dead_letters import DeadLetterService, Position
from tests.fakes_accounts import Clock
from tests.fakes_admin import FakeEntries, FakeLetters, FakeOutbox, letter, new_audit

ADMIN = Context(user="uadmin")


class Desk:
    def __init__(self) -> None:
        self.letters = FakeLetters(
            letter(offset=10),
            letter(offset=9),
            letter("EVENTS", 4, listener="statistics"),
            letter("EVENTS", 4, listener="breakers"),
            letter(offset=11, truncated={"args": 10**6, "error": 5000}),
        )
        self.outbox = FakeOutbox()
        self.entries = FakeEntries()
        self.service = DeadLetterService(
            self.letters,
            topics=("TASKS", "EVENTS"),
            resend=self.outbox.resend,
            audit=new_audit(self.entries, Clock()),
        )

    def all(self, limit: int) -> list[str]:
        ids: list[str] = []
        after: Position | None = None
        while True:
            page, after = self.service.page(ADMIN, after=after, limit=limit)
            ids.extend(one.id for one in page)
            if after is None:
                return ids


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("APP-14")
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
def test_letters_are_listed_by_topic_in_the_order_of_their_places(desk: Desk, limit: int) -> None:
    assert desk.all(limit) == [
        "TASKS-3-9",
        "TASKS-3-10",
        "TASKS-3-11",
        "EVENTS-3-4~breakers",
        "EVENTS-3-4~statistics",
    ]


@pytest.mark.req("APP-14")
def test_a_replayed_letter_is_sent_and_forgotten(desk: Desk) -> None:
    replayed = desk.service.replay(ADMIN, "EVENTS-3-4~breakers")

    assert desk.outbox.resent == [replayed]
    assert replayed.listener == "breakers"
    assert "EVENTS-3-4~breakers" not in desk.letters.rows
    assert len(desk.letters.rows) == 4


def test_a_letter_stays_while_kafka_does_not_take_it(desk: Desk) -> None:
    desk.outbox.is_away = True

    with pytest.raises(UnavailableError):
        desk.service.replay(ADMIN, "TASKS-3-9")

    assert "TASKS-3-9" in desk.letters.rows


def test_a_letter_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.service.replay(ADMIN, "TASKS-3-12")


def test_a_letter_that_was_cut_is_refused_and_kept(desk: Desk) -> None:
    with pytest.raises(ConflictError, match="args of 1000000 bytes"):
        desk.service.replay(ADMIN, "TASKS-3-11")

    assert desk.outbox.resent == []
    assert "TASKS-3-11" in desk.letters.rows


def test_reading_and_replaying_are_in_the_audit_log(desk: Desk) -> None:
    desk.all(100)
    desk.service.replay(ADMIN, "TASKS-3-9")
    with pytest.raises(NotFoundError):
        desk.service.replay(ADMIN, "TASKS-3-9")

    logged = [(one.action, one.target, one.result) for one in desk.entries.rows.values()]
    assert logged == [
        ("dead-letters.read", "", "done"),
        ("replay", "TASKS-3-9", "done"),
        ("replay", "TASKS-3-9", "not_found"),
    ]
