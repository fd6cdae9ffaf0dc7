"""Messages are counted once, however often their events come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from chalicelib.broker import decode
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.breakers import BreakerService
from chalicelib.logic.statistics import StatisticsService, StoredMessages
from chalicelib.models import DayCount
from chalicelib.task import listeners
from chalicelib.task.events import MessagesStored
from tests.unit.broker_fakes import Fixture


class FakeCounts:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], DayCount] = {}
        self.contenders: list[DayCount] = []

    def get(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], DayCount]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def of_day(self, day: str) -> Sequence[DayCount]:
        return [row for key, row in self.rows.items() if key[0] == day]

    def replace(self, old: DayCount, new: DayCount) -> bool:
        if self.contenders:
            self.rows[new.day, new.source] = self.contenders.pop()
        stored = self.rows.get((new.day, new.source))
        if stored is not None and stored.offset != old.offset:
            return False
        self.rows[new.day, new.source] = new
        return True


def stored(offset: int, count: int = 1, **other: Any) -> StoredMessages:
    known = {"day": "2026-11-21", "source": "EVENTS-0", "type": "direct", **other}
    return StoredMessages(offset=offset, count=count, **known)


def test_messages_are_counted_by_day_and_type() -> None:
    service = StatisticsService(FakeCounts())

    service.count([stored(0, 2), stored(1, type="world"), stored(2, day="2026-11-22")])
    service.count([stored(0, 5, source="EVENTS-1"), stored(3)])

    assert service.of_day("2026-11-21") == {"direct": 8, "world": 1}
    assert service.of_day("2026-11-22") == {"direct": 1}
    assert service.of_day("2026-11-23") == {}


def test_events_that_come_again_are_not_counted_again() -> None:
    service = StatisticsService(FakeCounts())
    batch = [stored(0), stored(1), stored(2)]

    service.count(batch[:2])
    service.count(batch)
    service.count(batch)

    assert service.of_day("2026-11-21") == {"direct": 3}


def test_another_counter_in_between_is_noticed() -> None:
    counts = FakeCounts()
    counts.contenders = [
        DayCount(day="2026-11-21", source="EVENTS-0", offset=1, messages={"direct": 2})
    ]
    service = StatisticsService(counts)

    service.count([stored(0), stored(1), stored(2)])

    assert service.of_day("2026-11-21") == {"direct": 3}


def test_contention_without_end_is_an_error() -> None:
    counts = FakeCounts()
    counts.contenders = [
        DayCount(day="2026-11-21", source="EVENTS-0", offset=-n) for n in range(2, 99)
    ]

    with pytest.raises(UnavailableError):
        StatisticsService(counts).count([stored(100)])


@pytest.mark.req("APP-19")
def test_the_listener_counts_what_was_published() -> None:
    on = Fixture()
    service = StatisticsService(FakeCounts())

    def no_breakers() -> BreakerService:
        raise AssertionError

    listeners.register(on.broker, statistics=lambda: service, breakers=no_breakers)
    event = MessagesStored(
        conversation_id="d-a-b",
        conversation_type="direct",
        messages=[{"id": "m1", "seq": 1, "sender_id": "a"}, {"id": "m2", "seq": 2}],
    )
    on.broker.publish(Context(), event, key="d-a-b")
    on.broker.run("statistics", decode(on.taken()))

    assert service.of_day("2023-11-14") == {"direct": 2}
