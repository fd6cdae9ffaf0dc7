from __future__ import annotations

import logging
import random
from collections import Counter

import pytest

from chalicelib.errors import RateLimitedError
from chalicelib.logic.limits import Counts, Rate, RateLimiter, network
from tests.fakes_accounts import Clock
from tests.fakes_limits import FakeCounters

START = 1_800_000_000.0  # the beginning of a window of 60 s


class Stage:
    """Environments that share the counters."""

    def __init__(self, rate: Rate | None, environments: int = 1) -> None:
        self.clock = Clock(START)
        self.counters = FakeCounters()
        self.rates: dict[str, Rate | None] = {"write": rate}
        self.limiters = [
            RateLimiter(self.counters, lambda: self.rates, self.clock) for _ in range(environments)
        ]

    def passes(self, environment: int = 0, *, subject: str = "ann", cost: int = 1) -> bool:
        try:
            self.limiters[environment].take(subject, "POST /v1/x", "write", cost=cost)
        except RateLimitedError:
            return False
        return True

    def passed(self, attempts: int, **more: object) -> int:
        return sum(self.passes(**more) for _ in range(attempts))  # type: ignore[arg-type]


def test_so_many_pass_in_a_window_and_no_more() -> None:
    stage = Stage(Rate(limit=5, seconds=60))

    assert stage.passed(20) == 5


def test_users_do_not_share_their_limit() -> None:
    stage = Stage(Rate(limit=5, seconds=60))

    assert [stage.passed(9, subject=one) for one in ("ann", "bob")] == [5, 5]


def test_who_waits_as_long_as_told_passes() -> None:
    stage = Stage(Rate(limit=5, seconds=60))
    stage.passed(5)

    with pytest.raises(RateLimitedError, match="at most 5 in 60 s") as refused:
        stage.limiters[0].take("ann", "write")
    assert refused.value.retry_after == pytest.approx(72)  # a fifth of the next window is free
    stage.clock.now += refused.value.retry_after
    assert stage.passed(3) == 1


def test_the_last_window_counts_as_far_as_it_reaches() -> None:
    stage = Stage(Rate(limit=10, seconds=60))
    stage.passed(10)

    stage.clock.now += 90

    assert stage.passed(20) == 5


def test_after_two_windows_everything_is_forgotten() -> None:
    stage = Stage(Rate(limit=10, seconds=60))
    stage.passed(20)

    stage.clock.now += 120

    assert stage.passed(20) == 10


def test_while_it_is_refused_nothing_is_asked() -> None:
    stage = Stage(Rate(limit=5, seconds=60))
    stage.passed(6)
    calls = stage.counters.calls

    assert stage.passed(1000) == 0
    assert stage.counters.calls == calls


def test_a_lease_grows_while_it_is_used_and_saves_calls() -> None:
    stage = Stage(Rate(limit=10_000, seconds=60, lease=500))

    assert stage.passed(9_000) == 9_000
    assert stage.counters.calls == 26  # 1, 2, 4, … 256, 500, 500, …


def test_who_comes_seldom_holds_one_permit() -> None:
    stage = Stage(Rate(limit=100, seconds=60, lease=50), environments=20)

    assert all(stage.passes(environment) for environment in range(20))
    assert sum(stage.counters.counts.values()) == 20


def test_a_lease_is_not_kept_for_ever() -> None:
    stage = Stage(Rate(limit=100, seconds=60, lease=50))
    stage.passed(4)  # holds three permits more

    stage.clock.now += 60
    stage.passes()

    assert stage.counters.counts["write#60#ann", START // 60 + 1] == 1


def test_a_cost_of_many_takes_as_many() -> None:
    stage = Stage(Rate(limit=100, seconds=60))

    assert stage.passed(10, cost=25) == 4


def test_a_cost_above_the_limit_is_the_whole_limit() -> None:
    stage = Stage(Rate(limit=10, seconds=60))

    assert [stage.passes(cost=25), stage.passes()] == [True, False]


def test_a_lease_shrinks_to_what_is_left() -> None:
    stage = Stage(Rate(limit=100, seconds=60, lease=100), environments=2)
    stage.passed(60)  # and has leased up to 63

    assert stage.passed(100, environment=1) == 100 - 63
    assert stage.passed(100) == 3


def test_who_loses_every_race_for_permits_tries_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(Rate(limit=100, seconds=60))
    monkeypatch.setattr(stage.counters, "add", lambda *_, **__: (False, (50, 0)))

    with pytest.raises(RateLimitedError) as refused:
        stage.limiters[0].take("ann", "write")

    assert refused.value.retry_after == 1


def test_no_limit_costs_nothing() -> None:
    stage = Stage(None)

    assert stage.passed(1000) == 1000
    assert stage.counters.calls == 0


def test_a_route_of_its_own_name_goes_before_its_class() -> None:
    stage = Stage(Rate(limit=100, seconds=60))
    stage.rates["POST /v1/x"] = Rate(limit=1, seconds=60)

    assert stage.passed(5) == 1


@pytest.mark.req("APP-17")
def test_a_changed_rate_is_applied_at_once() -> None:
    stage = Stage(Rate(limit=1, seconds=60))
    assert stage.passed(2) == 1

    stage.rates["write"] = Rate(limit=3, seconds=60)

    assert stage.passed(9) == 2


def test_while_the_store_is_away_everything_passes_and_it_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(Rate(limit=5, seconds=60))
    stage.counters.is_away = True

    with caplog.at_level(logging.INFO):
        assert stage.passed(100) == 100
        assert stage.counters.calls == 1, "it is not asked each time"
        stage.clock.now += 5
        assert stage.passed(100) == 100
        stage.counters.is_away = False
        stage.clock.now += 5
        assert stage.passed(100) == 5

    assert [one.message for one in caplog.records] == [
        "limits are not enforced",
        "limits are enforced again",
    ]


def test_the_leases_of_very_many_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.logic.limits._MAX_LEASES", 3)
    stage = Stage(Rate(limit=2, seconds=60))

    assert all(stage.passes(subject=f"user{n}") for n in range(10))
    assert stage.passed(5, subject="user0") == 1, "what was counted stands"


@pytest.mark.req("APP-17")
@pytest.mark.parametrize("seed", range(30))
def test_environments_together_keep_the_limit(seed: int) -> None:
    """In a window at most the limit passes, and what leases of the window before had left."""
    chance = random.Random(seed)
    environments = chance.choice((1, 2, 7, 30))
    limit = chance.choice((10, 100, 1000))
    rate = Rate(limit=limit, seconds=chance.choice((10, 60)), lease=chance.randint(1, limit))
    stage = Stage(rate, environments)
    passed: Counter[int] = Counter()

    for _ in range(5 * limit * chance.choice((1, 3))):
        stage.clock.now += chance.expovariate(chance.choice((1, 5)) * limit / rate.seconds)
        cost = chance.choice((1, 1, 1, 5))
        if stage.passes(chance.randrange(environments), cost=cost):
            passed[int(stage.clock.now // rate.seconds)] += cost

    assert max(passed.values()) <= limit + environments * (max(rate.lease, 5) - 1)
    granted = stage.counters.counts.values()
    assert max(granted) <= limit


@pytest.mark.parametrize("seed", range(10))
def test_who_stays_below_half_of_the_limit_is_never_refused(seed: int) -> None:
    """Leases hold back no more than was used, in however many environments."""
    chance = random.Random(seed)
    stage = Stage(Rate(limit=200, seconds=60, lease=50), environments=10)

    for _ in range(2000):
        stage.clock.now += chance.uniform(0.0, 2.0) * 60 / 80
        assert stage.passes(chance.randrange(10))


def spare_at(rate: Rate, counts: Counts, then: float) -> int:
    """What is left then, if nobody takes any after the window that begins at START."""
    windows = int((then - START) // rate.seconds)
    later = (counts, Counts(0, counts.current), Counts(0, 0))[min(windows, 2)]
    return rate.spare(later, then)


@pytest.mark.parametrize("seed", range(20))
def test_the_wait_is_as_long_as_needed_and_no_longer(seed: int) -> None:
    chance = random.Random(seed)
    rate = Rate(limit=chance.randint(1, 50), seconds=60)
    for _ in range(200):
        counts = Counts(chance.randint(0, 60), chance.randint(0, 60))
        now = START + chance.uniform(0, 60)
        need = chance.randint(1, rate.limit)
        if rate.spare(counts, now) >= need:
            continue

        then = now + rate.wait(counts, need, now)

        assert spare_at(rate, counts, then + 1e-4) >= need
        assert then - now < 0.02 or spare_at(rate, counts, then - 0.01) < need


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_address_stands_for_its_network(address: str, subject: str) -> None:
    assert network(address) == subject


@pytest.mark.req("APP-17")
def test_what_is_free_is_given_without_a_call_and_then_the_shared_counter_is_asked() -> None:
    calls: list[int] = []

    class Counting:
        def add(
            self, key: str, window: int, permits: int, *, at_most: int, expires_at: int
        ) -> tuple[bool, tuple[int, int]]:
            calls.append(permits)
            return sum(calls) <= at_most, (min(sum(calls), at_most), 0)

    now = [6000.0]
    rates = {"frame": Rate(limit=20, seconds=60, lease=10, free=5)}
    limiter = RateLimiter(Counting(), lambda: rates, lambda: now[0])

    for _ in range(5):
        limiter.take("ann", "frame")
    assert calls == []
    limiter.take("ann", "frame")
    assert calls == [10]
    now[0] += 60
    limiter.take("ann", "frame")
    assert calls == [10], "a new window begins with what is free"
