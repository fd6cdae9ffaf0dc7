from __future__ import annotations

import pytest

from chalicelib.context import Context
from chalicelib.errors import ForbiddenError, UnavailableError
from chalicelib.logic.audit import AuditService
from chalicelib.models import AuditEntry
from tests.fakes_accounts import Clock
from tests.fakes_admin import KEPT_DAYS, FakeEntries, new_audit

CTX = Context(user="uadmin", trace_id="t" * 32)
DAY = 24 * 3600


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.entries = FakeEntries()
        self.audit: AuditService = new_audit(self.entries, self.clock)

    def act(self, target: str) -> None:
        with self.audit.action(CTX, "ban", target):
            pass

    def all(self, limit: int) -> list[str]:
        targets: list[str] = []
        before = None
        while True:
            page, before = self.audit.page(before=before, limit=limit)
            targets.extend(one.target for one in page)
            if before is None:
                return targets


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_entry_says_who_did_what_to_whom_when_and_in_which_trace(desk: Desk) -> None:
    with desk.audit.action(CTX, "ban", "u1", reason="spam", until=None):
        (started,) = desk.entries.rows.values()

    (done,) = desk.entries.rows.values()
    assert started.result == "started"
    assert done == AuditEntry(
        id="e000000",
        at="2027-01-15T08:00:00.000Z",
        actor="uadmin",
        action="ban",
        target="u1",
        trace_id="t" * 32,
        result="done",
        details={"reason": "spam"},
    )


@pytest.mark.parametrize(
    ("error", "result"), [(ForbiddenError(), "forbidden"), (KeyError("x"), "internal_error")]
)
def test_what_fails_is_logged_with_its_error(desk: Desk, error: Exception, result: str) -> None:
    with pytest.raises(type(error)), desk.audit.action(CTX, "ban", "u1"):
        raise error

    assert [one.result for one in desk.entries.rows.values()] == [result]


def test_nothing_is_done_that_cannot_be_logged(desk: Desk) -> None:
    desk.entries.is_away = True
    done: list[str] = []

    with pytest.raises(UnavailableError), desk.audit.action(CTX, "ban", "u1"):
        done.append("u1")

    assert done == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_log_is_read_over_months_the_newest_first(desk: Desk, limit: int) -> None:
    for number in range(6):
        desk.act(f"u{number}")
        desk.clock.now += 40 * DAY * (number % 2)

    assert desk.all(limit) == [f"u{number}" for number in reversed(range(6))]


def test_the_log_ends_where_entries_expire(desk: Desk) -> None:
    desk.act("old")
    desk.clock.now += (KEPT_DAYS + 31) * DAY
    desk.act("new")

    assert desk.all(10) == ["new"]
