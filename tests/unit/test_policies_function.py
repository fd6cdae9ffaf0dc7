from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chalicelib import bootstrap_policies, coord
from chalicelib.errors import UnavailableError
from chalicelib.logic.configuration import Snapshot
from functions import policies
from tests.built import forget_built
from tests.fakes_configuration import PREFIX, FakeParameters, FakeSnapshots

EVENTS = Path(__file__).parents[1] / "events"
CHANGE = json.loads((EVENTS / "policies_change.json").read_text())
SCHEDULE = json.loads((EVENTS / "policies_schedule.json").read_text())
GOOD = {
    "breaker__dynamodb": '{"failure_threshold": 5}',
    "mq__default": '{"brokers": ["a:1"]}',
    "policy__auth": '{"access_token_seconds": 900}',
    "policy__messages": '{"strangers_may_write": true}',
}


@dataclass
class Stage:
    """A stage on fakes: what the composition root gets instead of AWS."""

    parameters: FakeParameters = field(default_factory=lambda: FakeParameters(**GOOD))
    snapshots: FakeSnapshots = field(default_factory=FakeSnapshots)

    def list(self, path: str, *, decrypt: bool) -> list[coord.Parameter]:
        assert (path, decrypt) == (PREFIX.rstrip("/"), False)
        return self.parameters.list()

    @property
    def documents(self) -> dict[str, str]:
        found = bootstrap_policies.snapshot()
        assert found
        return {path.removeprefix(PREFIX): one.value for path, one in found.documents.items()}


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage()
    monkeypatch.setenv("STAGE", "local")
    monkeypatch.setattr(coord, "new", lambda: made)
    monkeypatch.setattr(bootstrap_policies, "snapshots", lambda: made.snapshots)
    forget_built()
    yield made
    forget_built()


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return json.loads(lines[-1]) if lines else {}


@pytest.mark.req("SHAPE-4")
@pytest.mark.parametrize("event", [CHANGE, SCHEDULE], ids=["change", "schedule"])
def test_either_event_renews_the_snapshot(stage: Stage, event: dict[str, Any]) -> None:
    policies.handler(event, None)
    stage.parameters.put("breaker/kafka", "{}")
    policies.handler(event, None)

    assert sorted(stage.documents) == [
        "breaker/dynamodb",
        "breaker/kafka",
        "mq/default",
        "policy/auth",
        "policy/messages",
    ]


@pytest.mark.parametrize("name", ["/other/a", "/lambchat/local2/breaker/a", "/lambchat/local", "a"])
def test_a_change_elsewhere_is_none_of_its_business(stage: Stage, name: str) -> None:
    policies.handler({**CHANGE, "detail": {**CHANGE["detail"], "name": name}}, None)

    assert (stage.parameters.reads, stage.snapshots.item) == (0, None)


@pytest.mark.req("SHAPE-4", "BRK-4")
@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("breaker/dynamodb", '{"failure_rate": 7}', "failure_rate: expected a number above 0"),
        ("breaker/dynamodb", "[" * 4000, "expected a JSON document"),
        ("mq/default", '{"brokers": []}', "brokers: expected a list of host:port"),
        ("policy/auth", '{"access_token_seconds": 0}', "access_token_seconds: expected whole"),
        ("policy/messages", '{"strangers_may_write": 1}', "expected true or false"),
    ],
)
def test_a_wrong_document_is_refused_and_the_last_good_one_stays(
    stage: Stage, caplog: pytest.LogCaptureFixture, name: str, text: str, problem: str
) -> None:
    policies.handler(SCHEDULE, None)
    stage.parameters.put(name, text)

    policies.handler(CHANGE, None)

    refused = [one.__dict__ for one in caplog.records if one.message == "configuration refused"]
    assert [one["path"] for one in refused] == [PREFIX + name]
    assert problem in refused[0]["error"]
    assert stage.documents[name] == GOOD[name.replace("/", "__")]


def test_changed_and_refused_documents_are_counted(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.parameters.put("mq/default", "{")

    policies.handler(CHANGE, None)

    counted = metrics(capsys)
    assert (counted["PoliciesChanged"], counted["PoliciesRefused"]) == ([3.0], [1.0])


def test_when_nothing_changed_nothing_is_said(
    stage: Stage, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    policies.handler(SCHEDULE, None)
    capsys.readouterr()
    caplog.clear()

    policies.handler(SCHEDULE, None)

    assert (capsys.readouterr().out, caplog.text) == ("", "")


def test_a_store_that_is_away_leaves_the_readers_to_parameter_store(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(**_: bool) -> None:
        raise UnavailableError("the store answered Unreachable")

    monkeypatch.setattr(stage.snapshots, "read", away)

    assert bootstrap_policies.snapshot() is None
    assert "not read" in caplog.text


def test_before_the_first_run_there_is_no_snapshot(stage: Stage) -> None:
    found: Snapshot | None = bootstrap_policies.snapshot()

    assert found is None
