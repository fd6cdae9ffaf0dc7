from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import bootstrap, bootstrap_tasks, cli
from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import UnavailableError
from chalicelib.logic.keys import KeyService
from chalicelib.mq import MqError
from tests.fakes_accounts import FakeKeyStore
from tests.rest import Rest
from tests.unit.broker_fakes import Fixture


@pytest.fixture
def store(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> FakeKeyStore:
    made = FakeKeyStore()
    monkeypatch.setattr(accounts, "keys", lambda: KeyService(made))
    monkeypatch.setattr(accounts, "ensure_topics", topics())
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    return made


def topics(*created: str) -> Callable[..., list[str]]:
    def ensure(*, partitions: int, replication: int) -> list[str]:
        return [f"{name}/{partitions}/{replication}" for name in created]

    return ensure


def test_init_makes_what_is_missing(
    store: FakeKeyStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(accounts, "ensure_topics", topics("TASKS"))

    code = cli.main(["init", "--partitions", "3"])

    assert code == 0
    assert store.key is not None
    assert "topics created: TASKS/3/1" in capsys.readouterr().out


def test_init_can_be_repeated(store: FakeKeyStore) -> None:
    cli.main(["init"])
    key = store.key

    assert cli.main(["init"]) == 0
    assert store.key == key


@pytest.mark.parametrize("password", ["", "operator's own"])
def test_the_administrator_is_made_only_with_a_password(
    store: FakeKeyStore,
    rest: Rest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", password)

    cli.main(["init"])

    admin = rest.users.by_name("admin")
    assert bool(admin) is bool(password)
    assert "operator" not in capsys.readouterr().out


def test_the_signing_key_can_be_rotated(store: FakeKeyStore) -> None:
    cli.main(["init"])
    key = store.key

    assert cli.main(["rotate-signing-key"]) == 0
    assert store.key != key


def test_a_service_that_is_away_is_one_clear_line(
    store: FakeKeyStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(**_: Any) -> list[str]:
        raise UnavailableError("topic TASKS: no broker answers")

    monkeypatch.setattr(accounts, "ensure_topics", away)

    assert cli.main(["init"]) == 1
    assert capsys.readouterr().err == "lambchat init: topic TASKS: no broker answers\n"


@pytest.mark.parametrize("arguments", [[], ["no-such-command"]])
def test_a_wrong_command_is_explained(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert caught.value.code == 2


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Fixture:
    made = Fixture()
    made.broker.batch_task("t")(lambda _: None)
    monkeypatch.setattr(bootstrap_tasks, "broker", lambda: made.broker)
    monkeypatch.setattr(bootstrap, "breakers", lambda: None)
    return made


def test_a_worker_of_a_group_that_is_not_there_says_which_there_are(
    on: Fixture, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["worker", "--group", "fan-out"]) == 1

    error = capsys.readouterr().err
    assert error == "lambchat worker: groups: expected some of tasks, found ['fan-out']\n"
    assert on.kafka.topics == []


def test_a_worker_without_kafka_is_one_clear_line(
    on: Fixture, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: object, **__: object) -> list[str]:
        raise MqError("no broker answers")

    monkeypatch.setattr(on.kafka, "ensure_topics", away)

    assert cli.main(["worker", "--partitions", "2"]) == 1
    assert capsys.readouterr().err == "lambchat worker: no broker answers\n"
    assert on.kafka.closed == 1


def test_a_worker_reports_what_its_consumers_did(
    on: Fixture, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, Any]] = []

    class Worker:
        def __init__(self, _broker: object, *, prefix: str, groups: list[str], on_stats: Any):
            seen.append({"prefix": prefix, "groups": groups})
            self.on_stats = on_stats

        def run(self, **options: int) -> None:
            seen.append(options)
            stats = {"messages": 5, "errors": 1, "rebalances": 0, "lag": {"TASKS-0": 3}}
            self.on_stats("tasks", stats)
            self.on_stats("tasks", {**stats, "messages": 7, "lag": {}})

    monkeypatch.setenv("STAGE", "unit")
    monkeypatch.setattr("chalicelib.broker.Worker", Worker)

    assert cli.main(["worker", "--group", "tasks", "--partitions", "4"]) == 0

    assert seen == [
        {"prefix": "lambchat-unit", "groups": ["tasks"]},
        {"partitions": 4, "replication": 1},
    ]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["Consumed"] for one in lines if "Consumed" in one] == [[5.0], [2.0]]
    assert [one["Lag"] for one in lines if "Lag" in one] == [[3.0], [0.0]]
    assert {one["group"] for one in lines} == {"tasks"}


def test_the_statistics_of_a_day_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Statistics:
        def of_day(self, day: str) -> dict[str, int]:
            return {"direct": 2, "world": 3} if day == "2026-11-21" else {}

    monkeypatch.setattr(bootstrap_tasks, "statistics", Statistics)

    assert cli.main(["statistics", "--day", "2026-11-21"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "2026-11-21 direct 2",
        "2026-11-21 world 3",
        "2026-11-21 total 5",
    ]
