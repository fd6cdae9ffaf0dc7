from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.breaker import (
    BreakerOpenError,
)
from tests.unit.test_breaker_fakes import (
    DownstreamError,
    Guarded,
    half_open,
)


@pytest.mark.req("BRK-5", "BRK-6")
def test_eight_calls_run_at_the_same_time() -> None:
    breaker = Guarded().breaker
    met = threading.Barrier(8)

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(breaker.do, None, lambda: met.wait(30)) for _ in range(8)]

    assert sorted(call.result() for call in calls) == list(range(8))


@pytest.mark.req("BRK-5", "BRK-6")
def test_no_outcome_is_lost_among_threads() -> None:
    guarded = Guarded(failure_threshold=3201, minimum_calls=10**6)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(guarded.fail, [100] * 32))
    before = guarded.state
    guarded.fail()

    assert (before, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-5", "BRK-6")
def test_among_threads_just_the_allowed_trials_get_through() -> None:
    guarded = half_open(half_open_calls=3)
    released = threading.Event()

    def attempt(_: int) -> str:
        try:
            guarded.breaker.do(None, lambda: released.wait(30))
        except BreakerOpenError:
            return "refused"
        return "tried"

    with ThreadPoolExecutor(32) as pool:
        outcomes = [pool.submit(attempt, number) for number in range(32)]
        while sum(outcome.done() for outcome in outcomes) < 29:
            threading.Event().wait(0.001)
        released.set()

    assert [outcome.result() for outcome in outcomes].count("tried") == 3
    assert guarded.state == "closed"


@pytest.mark.req("BRK-5", "BRK-6")
def test_among_threads_each_change_is_told_once_and_in_order() -> None:
    guarded = Guarded(failure_threshold=1, open_seconds=10, half_open_calls=1)

    def work(number: int) -> None:
        for turn in range(200):
            guarded.clock.now += 3
            try:
                guarded.call(DownstreamError() if (turn + number) % 3 == 0 else None)
            except BreakerOpenError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    olds = [old for _, old, _ in guarded.changes]
    news = [new_state for _, _, new_state in guarded.changes]
    assert olds == ["closed", *news[:-1]]
    assert news[-1] == guarded.state
    assert len(news) > 10
