"""What operators do from the command line."""

from __future__ import annotations

import getpass
import json
from typing import Any

import pytest

from chalicelib import cli
from tests.fakes_admin import letter
from tests.rest import Rest
from tests.unit.operators import Desk

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def desk(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    return Desk(rest, monkeypatch)


@pytest.fixture
def ann(rest: Rest) -> str:
    return str(rest.register("Ann").body["id"])


def lines(capsys: Capture) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.req("APP-16")
@pytest.mark.parametrize("given", ["@ann", "{id}"])
def test_a_user_is_banned_and_let_in_by_name_or_id(
    desk: Desk, ann: str, capsys: Capture, given: str
) -> None:
    user = given.format(id=ann)
    arguments = ["--reason", "spam", "--until", "2027-01-16T00:00:00Z", "--json"]

    assert cli.main(["ban", user, *arguments]) == 0
    (shown,) = lines(capsys)

    assert shown == {
        "user_id": ann,
        "banned_by": "cli:root",
        "banned_at": "2027-01-15T08:00:00.000Z",
        "until": "2027-01-16T00:00:00.000Z",
        "reason": "spam",
    }
    assert desk.rest.bans.get(ann) is not None
    assert cli.main(["bans", "--json"]) == 0
    assert lines(capsys) == [shown]
    assert cli.main(["unban", user]) == 0
    assert desk.rest.bans.get(ann) is None
    actors = {(one.actor, one.action, one.result) for one in desk.entries.rows.values()}
    assert actors == {("cli:root", "ban", "done"), ("cli:root", "unban", "done")}


@pytest.mark.parametrize("user", ["@nobody", "unobody"])
def test_nobody_cannot_be_banned(desk: Desk, capsys: Capture, user: str) -> None:
    assert cli.main(["ban", user]) == 1
    assert "no " in capsys.readouterr().err.lower()
    assert desk.rest.bans.rows == {}


@pytest.mark.req("APP-16")
def test_a_notice_is_broadcast(desk: Desk, capsys: Capture) -> None:
    assert cli.main(["broadcast", "Back in a minute."]) == 0

    (notice,) = desk.outbox.notices
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["id", "content", "created_at"]
    assert row.split("  ") == [notice.id, "Back in a minute.", "2027-01-15T08:00:00.000Z"]


@pytest.mark.req("APP-14")
def test_dead_letters_are_listed_and_replayed(desk: Desk, capsys: Capture) -> None:
    assert cli.main(["dead-letters", "--json"]) == 0
    ids = [one["id"] for one in lines(capsys)]
    assert ids == ["TASKS-3-9", "TASKS-3-10"]

    assert cli.main(["replay", "TASKS-3-9"]) == 0

    assert [one.id for one in desk.outbox.resent] == ["TASKS-3-9"]
    assert list(desk.letters.rows) == ["TASKS-3-10"]


def test_several_letters_are_replayed_in_the_order_given(desk: Desk) -> None:
    ids = ["TASKS-3-2", "TASKS-3-1"]
    desk.letters.rows = {one.id: one for one in map(letter, ("TASKS", "TASKS"), (1, 2))}

    assert cli.main(["replay", *ids]) == 0

    assert [one.id for one in desk.outbox.resent] == ids


def test_a_letter_that_is_not_there_is_one_clear_line(desk: Desk, capsys: Capture) -> None:
    assert cli.main(["replay", "TASKS-3-11", "TASKS-3-9"]) == 1

    assert capsys.readouterr().err == "lambchat replay: there is no dead letter TASKS-3-11\n"
    assert desk.outbox.resent == []


def test_a_table_has_a_line_for_each_and_cannot_move_the_cursor(
    desk: Desk, capsys: Capture
) -> None:
    odd = letter(offset=10, error="a\x1b[2J\nb", args="x" * 200)
    desk.letters.rows[odd.id] = odd

    assert cli.main(["dead-letters"]) == 0

    out = capsys.readouterr().out
    header, first, second = out.splitlines()
    assert header.split()[:3] == ["id", "name", "key"]
    assert first.index("PoisonError") == second.index("a\ufffd[2J\ufffdb")
    assert "x" * 59 + "…" in second
    assert "\x1b" not in out


@pytest.mark.parametrize("limit", [1, 2, 250])
def test_the_audit_log_is_listed_the_newest_first(desk: Desk, capsys: Capture, limit: int) -> None:
    for number in range(201):
        cli.main(["broadcast", f"notice {number}"])
        desk.rest.clock.now += 1
    capsys.readouterr()

    assert cli.main(["audit-log", "--json", "--limit", str(limit)]) == 0

    found = [one["details"]["content"] for one in lines(capsys)]
    assert found == [f"notice {number}" for number in reversed(range(201))][:limit]


def test_an_account_without_a_name_is_its_number(
    desk: Desk, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)

    cli.main(["unban", ann])

    (entry,) = desk.entries.rows.values()
    assert entry.actor.removeprefix("cli:").isdecimal()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ban", "@ann", "--until", "tomorrow"], "--until: "),
        (["bans", "--limit", "0"], "expected a number above 0, found '0'"),
        (["replay"], "required: id"),
    ],
)
def test_a_wrong_argument_is_explained(
    desk: Desk, capsys: Capture, arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_nothing_to_list_is_no_table(desk: Desk, capsys: Capture) -> None:
    assert cli.main(["bans"]) == 0
    assert capsys.readouterr().out == ""
