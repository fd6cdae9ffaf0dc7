from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import bootstrap, bootstrap_repair, bootstrap_tasks, cli
from chalicelib.logic.repair import Finding
from chalicelib.mq import MqError
from tests.unit.broker_fakes import Fixture

Capture = pytest.CaptureFixture[str]
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


class Repair:
    """Has findings of each kind."""

    def __init__(self) -> None:
        self.findings = [Finding("d-a-b", "head: missing, the log ends at 2")]

    def check(self) -> Iterator[Finding]:
        return iter(self.findings)

    rebuild_heads = rebuild_places = check


@pytest.fixture(autouse=True)
def repair(monkeypatch: pytest.MonkeyPatch) -> Repair:
    made = Repair()
    monkeypatch.setattr(bootstrap_repair, "repair", lambda: made)
    monkeypatch.setattr("time.time", lambda: NOW)
    return made


def test_a_contradiction_is_printed_and_makes_the_check_fail(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["check", "--json"])

    assert caught.value.code == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"conversation_id": "d-a-b", "text": "head: missing, the log ends at 2"}


def test_a_check_without_findings_says_nothing(repair: Repair, capsys: Capture) -> None:
    repair.findings = []

    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("what", ["heads", "places"])
def test_what_was_rebuilt_is_printed_and_counted(what: str, capsys: Capture) -> None:
    assert cli.main(["rebuild", what]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines == ["d-a-b  head: missing, the log ends at 2", "1 written"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    def repeat(_broker: object, tasks: dict[str, str], **options: Any) -> int:
        found.append((tasks, options))
        return 7

    monkeypatch.setattr("chalicelib.broker.repeat", repeat)
    monkeypatch.setattr(bootstrap_tasks, "broker", lambda: Fixture().broker)
    monkeypatch.setattr(bootstrap, "breakers", lambda: None)
    return found


def test_messages_are_rebuilt_from_a_time_on_in_a_group_of_their_own(
    asked: list[Any], capsys: Capture
) -> None:
    arguments = ["--since", "2027-01-15T07:00:00Z", "--idle-seconds", "3"]

    assert cli.main(["rebuild", "messages", *arguments]) == 0

    ((tasks, options),) = asked
    assert tasks == {"deliver": "fanout", "change": "tasks"}
    assert options == {
        "consumer_group": f"lambchat-local-rebuild-{int(NOW)}",
        "since": NOW - 3600,
        "idle_seconds": 3.0,
    }
    assert capsys.readouterr().out == "7 commands carried out again\n"


@pytest.mark.parametrize("since", [[], ["2027-01-08T08:30:00Z"], ["2027-01-15T08:00:01Z"]])
def test_messages_that_would_be_stored_twice_are_refused(
    asked: list[Any], since: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["rebuild", "messages", *(["--since", *since] if since else [])])

    assert "expected a time of the last 7 days" in str(caught.value.code)
    assert asked == []


def test_a_time_that_is_none_is_explained(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        cli.main(["rebuild", "messages", "--since", "yesterday"])

    assert "--since" in capsys.readouterr().err


def test_kafka_being_away_is_one_clear_line(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def away(*_: object, **__: object) -> int:
        raise MqError("no broker answers")

    monkeypatch.setattr("chalicelib.broker.repeat", away)

    assert cli.main(["rebuild", "messages", "--since", "2027-01-15T07:00:00Z"]) == 1
    assert capsys.readouterr().err == "lambchat rebuild: no broker answers\n"
