"""How long messages wait and take, reported by what carries them out."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from functions._trigger import _Ages

pytestmark = pytest.mark.req("SHAPE-3")


def event(*timestamps_ms: int) -> dict[str, Any]:
    return {"records": {"TASKS-0": [{"timestamp": one} for one in timestamps_ms]}}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made = [1000.0]
    monkeypatch.setattr(time, "time", lambda: made[0])
    return made


def test_the_oldest_record_of_each_batch_counts_and_batches_share_a_line(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    ages = _Ages("fanout")

    ages.add(event(999_900, 999_700))
    now[0] += 10
    ages.add(event(1_009_950))

    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["AgeMilliseconds"] == [300.0, 50.0]
    assert line["group"] == "fanout"
    unit = line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]
    assert unit == {"Name": "AgeMilliseconds", "Unit": "Milliseconds"}


def test_a_busy_function_reports_many_batches_at_once(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    ages = _Ages("fanout")

    for _ in range(120):
        ages.add(event(int(now[0] * 1000)))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(line["AgeMilliseconds"]) for line in lines] == [50, 50]


def test_a_clock_that_is_behind_makes_no_negative_age(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    ages = _Ages("fanout")
    now[0] += 11

    ages.add(event(2_000_000))

    assert json.loads(capsys.readouterr().out)["AgeMilliseconds"] == [0.0]
