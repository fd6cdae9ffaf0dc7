"""Schedules: rate and cron expressions that invoke functions.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from localstack.emulator.intrinsics import TemplateError
from localstack.emulator.template import Schedule

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_YEAR_OF_MINUTES = 366 * 24 * 60


def next_time(expression: str, after: datetime) -> datetime:
    """When a schedule is due next.

    Raises:
        TemplateError: The expression is not understood, or is never due within a year.
    """
    if rate := _RATE.fullmatch(expression):
        return after + timedelta(**{f"{rate[2]}s": int(rate[1])})
    cron = _CRON.fullmatch(expression)
    if cron is None:
        raise TemplateError(f"expected rate(…) or cron(…), found {expression!r}")
    moment = after.replace(second=0, microsecond=0)
    for _ in range(_YEAR_OF_MINUTES):
        moment += timedelta(minutes=1)
        if _is_due(cron.groups(), moment):
            return moment
    raise TemplateError(f"{expression} is not due within a year")


def _is_due(fields: tuple[str, ...], moment: datetime) -> bool:
    minute, hour, day, month, weekday, year = fields
    return (
        _fits(minute, moment.minute)
        and _fits(hour, moment.hour)
        and _fits(day, moment.day)
        and _fits(month, moment.month, _MONTHS, 1)
        and _fits(weekday, moment.isoweekday() % 7 + 1, _DAYS, 1)
        and _fits(year, moment.year)
    )


def _fits(field: str, value: int, names: Iterable[str] = (), first: int = 0) -> bool:
    numbers = {name: str(at) for at, name in enumerate(names, first)}
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        if low in ("*", "?"):
            start, end = 0, value
        else:
            start = int(numbers.get(low, low))
            end = int(numbers.get(high, high)) if high else (value if step else start)
        if start <= value <= end and (value - start) % int(step or 1) == 0:
            return True
    return False


async def run(
    schedules: Iterable[Schedule], invoke: Callable[[str, bytes], Awaitable[object]]
) -> None:
    """Invokes functions when they are due, until cancelled."""
    await asyncio.gather(*(_run(schedule, invoke) for schedule in schedules))


async def _run(schedule: Schedule, invoke: Callable[[str, bytes], Awaitable[object]]) -> None:
    while True:
        now = datetime.now(UTC)
        due = next_time(schedule.expression, now)
        await asyncio.sleep((due - now).total_seconds())
        payload = schedule.input.encode() if schedule.input else event(schedule, due)
        await invoke(schedule.function, payload)


def event(schedule: Schedule, due: datetime) -> bytes:
    """What EventBridge invokes a function with at that time."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": "us-east-1",
            "resources": [f"arn:aws:events:us-east-1:000000000000:rule/{schedule.name}"],
            "detail": {},
        }
    ).encode()
