"""What every function does around its work."""

from __future__ import annotations

import json
import time

import pytest

from chalicelib import bootstrap, bootstrap_tasks
from chalicelib.broker.records import pack
from functions import _entry, scheduled
from tests.built import forget_built
from tests.unit.broker_fakes import Fixture


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made = [1000.0]
    monkeypatch.setattr(time, "time", lambda: made[0])
    monkeypatch.setattr(_entry, "_reports", _entry._Reports())
    return made


@pytest.mark.req("BRK-4")
def test_changed_policies_are_taken_over_before_each_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []
    monkeypatch.setattr(bootstrap, "refresh", lambda: order.append("refresh"))

    @_entry.entry
    def handler(event: str, _context: object) -> str:
        order.append(event)
        return event.upper()

    assert handler("event", None) == "EVENT"
    assert order == ["refresh", "event"]


@pytest.mark.usefixtures("now")
def test_what_was_sent_to_kafka_is_reported_once_a_minute_even_after_a_failure(
    now: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {"KafkaSent": 5, "KafkaFailed": 0}
    monkeypatch.setattr(bootstrap, "kafka_counts", lambda: dict(counts))

    @_entry.entry
    def handler(_event: object, _context: object) -> None:
        raise OSError("store away")

    def reported() -> list[float]:
        with pytest.raises(OSError, match="away"):
            handler(None, None)
        lines = capsys.readouterr().out.splitlines()
        return [json.loads(line)["KafkaSent"][0] for line in lines]

    assert reported() == []
    now[0] += 60
    assert reported() == [5.0]
    counts["KafkaSent"] = 7
    assert reported() == []
    now[0] += 60
    assert reported() == [2.0]
    now[0] += 60
    assert reported() == [], "nothing was sent"


def test_a_process_without_a_connection_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_built()

    assert bootstrap.kafka_counts() == {}


@pytest.mark.req("APP-14")
def test_the_schedule_sends_what_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    on = Fixture()
    task = on.broker.batch_task("t")(lambda _batch: None)
    monkeypatch.setattr(bootstrap_tasks, "broker", lambda: on.broker)
    on.delays.put(pack(task.message("k", {})), 900.0)

    scheduled.handler({}, None)

    (sent,) = on.kafka.sent
    assert (sent.topic, sent.key) == ("TASKS", b"k")
    assert on.delays.kept == {}
