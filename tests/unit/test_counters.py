from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_admin, cli
from chalicelib.logic.breakers import BreakerReport
from chalicelib.logic.counters import RECENT_SECONDS, Counters, CountersService
from chalicelib.models import BreakerChange
from tests.rest import PASSWORD, Rest, assert_problem

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
COUNTS: Mapping[str, Mapping[str, int]] = {
    "2027-01-15": {"direct": 3, "world": 1},
    "2027-01-14": {"direct": 5},
}


class FakeTotals:
    def accounts(self) -> int:
        return 12

    def connections(self) -> int:
        return 4

    def dead_letters(self, topic: str) -> tuple[int, bool]:
        return {"TASKS": (2, True), "EVENTS": (900, False)}[topic]


def report(*changes: tuple[str, str, float]) -> BreakerReport:
    return BreakerReport(
        name="dynamodb",
        state="closed",
        policy={},
        changes=[
            BreakerChange(name="dynamodb", old_state="", new_state=state, process=process, at=at)
            for process, state, at in changes
        ],
    )


def service(*reports: BreakerReport) -> CountersService:
    return CountersService(
        totals=FakeTotals(),
        messages_of_day=lambda day: COUNTS.get(day, {}),
        breakers=lambda: reports,
        topics=("TASKS", "EVENTS"),
        clock=lambda: NOW,
    )


def test_the_numbers_come_from_where_each_is_counted() -> None:
    assert service().read(3) == Counters(
        accounts=12,
        connections=4,
        messages={**COUNTS, "2027-01-13": {}},
        dead_letters={"TASKS": (2, True), "EVENTS": (900, False)},
        open_breakers={},
    )


def test_a_breaker_is_open_where_its_process_last_said_so() -> None:
    changes = report(
        ("a", "open", NOW - 1),
        ("b", "closed", NOW - 1),
        ("b", "open", NOW - 9),
        ("c", "half-open", NOW - 5),
        ("dead", "open", NOW - RECENT_SECONDS - 1),
    )

    assert service(changes, report()).read(1).open_breakers == {"dynamodb": ["a", "c"]}


@pytest.fixture
def token(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> str:
    built = service(report(("a", "open", NOW - 1)))
    monkeypatch.setattr(bootstrap_admin, "counters", lambda: built)
    accounts.auth().ensure_admin(PASSWORD)
    return str(rest.login("admin")["access_token"])


def test_operators_read_them_over_rest(rest: Rest, token: str) -> None:
    answer = rest.call("GET", "/v1/admin/counters", token=token, query={"days": "2"})

    assert answer.status == 200, answer.text
    assert answer.body == {
        "accounts": 12,
        "connections": 4,
        "messages": [
            {"day": "2027-01-15", "total": 4, "by_type": {"direct": 3, "world": 1}},
            {"day": "2027-01-14", "total": 5, "by_type": {"direct": 5}},
        ],
        "dead_letters": [
            {"topic": "TASKS", "count": 2, "complete": True},
            {"topic": "EVENTS", "count": 900, "complete": False},
        ],
        "open_breakers": [{"name": "dynamodb", "processes": ["a"]}],
    }


@pytest.mark.parametrize("days", ["0", "32", "x"])
def test_so_many_days_and_no_others(rest: Rest, token: str, days: str) -> None:
    answer = rest.call("GET", "/v1/admin/counters", token=token, query={"days": days})

    assert_problem(answer, 400, "invalid_query", "days")


def test_operators_read_them_from_the_command_line(
    token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["counters", "--days", "1", "--json"]) == 0

    rows: list[Any] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["counter"]: one["value"] for one in rows} == {
        "accounts": 12,
        "connections": 4,
        "messages 2027-01-15": 4,
        "messages 2027-01-15 direct": 3,
        "messages 2027-01-15 world": 1,
        "dead letters TASKS": 2,
        "dead letters EVENTS, at least": 900,
        "breaker dynamodb open, processes": 1,
    }
