from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from localstack.emulator import schedule
from localstack.emulator.intrinsics import TemplateError
from localstack.emulator.template import Schedule

NOW = datetime(2026, 11, 21, 10, 30, 20, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(1 minute)", "2026-11-21 10:31:20"),
        ("rate(2 hours)", "2026-11-21 12:30:20"),
        ("cron(0 12 * * ? *)", "2026-11-21 12:00:00"),
        ("cron(*/15 * * * ? *)", "2026-11-21 10:45:00"),
        ("cron(0 9 ? * MON-FRI *)", "2026-11-23 09:00:00"),
        ("cron(0 0 1 JAN ? 2027)", "2027-01-01 00:00:00"),
    ],
)
def test_a_schedule_is_due_next(expression: str, due: str) -> None:
    assert schedule.next_time(expression, NOW).strftime("%Y-%m-%d %H:%M:%S") == due


@pytest.mark.parametrize("expression", ["every day", "rate(x)", "cron(0 0 31 2 ? *)"])
def test_an_expression_that_is_never_due_is_refused(expression: str) -> None:
    with pytest.raises(TemplateError):
        schedule.next_time(expression, NOW)


def test_a_function_is_invoked_with_the_scheduled_event(monkeypatch: pytest.MonkeyPatch) -> None:
    invoked: list[tuple[str, bytes]] = []
    monkeypatch.setattr(schedule, "next_time", lambda _expression, after: after)

    async def invoke(function: str, payload: bytes) -> None:
        invoked.append((function, payload))
        if len(invoked) == 2:
            raise asyncio.CancelledError

    async def scenario() -> None:
        schedules = [Schedule(name="S", function="Tick", expression="rate(1 minute)")]
        async with asyncio.timeout(30):
            await schedule.run(schedules, invoke)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(scenario())

    name, payload = invoked[0]
    assert name == "Tick"
    assert json.loads(payload)["detail-type"] == "Scheduled Event"
