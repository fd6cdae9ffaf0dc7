from __future__ import annotations

from dataclasses import replace

from chalicelib.aws import JsonService
from chalicelib.models import DayCount
from chalicelib.repo.statistics import StatisticsRepository

DAY = "2026-11-21"


def test_a_count_is_replaced_only_as_it_was_read(tables: JsonService) -> None:
    statistics = StatisticsRepository(tables)
    none = DayCount(day=DAY, source="EVENTS-0")
    first = replace(none, offset=7, messages={"direct": 3, "world": 1})

    assert statistics.get([(DAY, "EVENTS-0")]) == {}
    assert statistics.replace(none, first)
    assert not statistics.replace(none, replace(none, offset=5)), "another one was first"
    assert statistics.replace(first, replace(first, offset=8, messages={"direct": 4}))

    found = statistics.get([(DAY, "EVENTS-0"), (DAY, "EVENTS-1")])
    assert found == {(DAY, "EVENTS-0"): replace(first, offset=8, messages={"direct": 4})}


def test_a_day_has_the_counts_of_all_partitions(tables: JsonService) -> None:
    statistics = StatisticsRepository(tables)
    day = "2026-11-20"
    counts = [DayCount(day=day, source=f"EVENTS-{n}", offset=n) for n in range(3)]
    for one in counts:
        statistics.replace(DayCount(day=day, source=one.source), one)

    assert statistics.of_day(day) == counts
    assert statistics.of_day("1970-01-01") == []
