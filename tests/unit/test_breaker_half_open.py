from __future__ import annotations

import pytest

from chalicelib.breaker import (
    BreakerOpenError,
)
from tests.unit.test_breaker_fakes import (
    DownstreamError,
    Guarded,
    half_open,
    opened,
)


@pytest.mark.req("BRK-5")
def test_it_half_opens_at_the_first_call_after_its_time_and_closes_when_all_trials_succeed() -> (
    None
):
    guarded = half_open(half_open_calls=3)

    guarded.succeed(2)
    trying = guarded.state
    guarded.succeed()

    assert (trying, guarded.state) == ("half-open", "closed")
    assert guarded.changes == [
        ("shop", "closed", "open"),
        ("shop", "open", "half-open"),
        ("shop", "half-open", "closed"),
    ]


@pytest.mark.req("BRK-5")
def test_it_begins_anew_after_closing() -> None:
    guarded = Guarded(failure_threshold=2, open_seconds=10, half_open_calls=1)
    guarded.fail(2)
    guarded.clock.now += 10
    guarded.succeed()

    guarded.fail()
    once = guarded.state
    guarded.fail()

    assert (once, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-5")
def test_a_failed_trial_opens_it_for_the_whole_time_again() -> None:
    guarded = half_open(half_open_calls=2)
    guarded.succeed()

    guarded.fail()

    assert guarded.state == "open"
    guarded.clock.now += 9.9
    with pytest.raises(BreakerOpenError):
        guarded.call()
    guarded.clock.now += 0.1
    guarded.succeed(2)
    assert guarded.state == "closed"


@pytest.mark.req("BRK-5")
def test_a_slow_trial_opens_it_again() -> None:
    guarded = half_open(slow_call_seconds=2)

    guarded.succeed(seconds=2)

    assert guarded.state == "open"


@pytest.mark.req("BRK-5")
def test_a_half_open_breaker_lets_no_more_calls_through_than_its_policy_says() -> None:
    guarded = half_open(half_open_calls=2)

    def while_the_first_runs() -> None:
        guarded.breaker.do(None, while_the_second_runs)

    def while_the_second_runs() -> None:
        with pytest.raises(BreakerOpenError) as refused:
            guarded.call()
        assert refused.value.retry_after == 10.0

    guarded.breaker.do(None, while_the_first_runs)

    assert guarded.state == "closed"


@pytest.mark.req("BRK-5")
def test_trials_that_do_not_end_are_repeated_and_then_count_for_nothing() -> None:
    guarded = half_open(half_open_calls=1)

    def hang() -> None:
        guarded.clock.now += 10
        guarded.succeed()
        raise DownstreamError

    with pytest.raises(DownstreamError):
        guarded.breaker.do(None, hang)

    assert guarded.state == "closed"
    assert len(guarded.changes) == 3


@pytest.mark.req("BRK-5")
def test_a_call_that_began_before_a_change_counts_for_nothing_after_it() -> None:
    guarded = Guarded(failure_threshold=1, open_seconds=10, half_open_calls=2)

    def outlive() -> None:
        guarded.fail()
        guarded.clock.now += 10
        guarded.succeed()
        raise DownstreamError

    with pytest.raises(DownstreamError):
        guarded.breaker.do(None, outlive)
    trying = guarded.state
    guarded.succeed()

    assert (trying, guarded.state) == ("half-open", "closed")


@pytest.mark.req("BRK-5")
@pytest.mark.parametrize("way", [KeyboardInterrupt, SystemExit])
def test_a_call_that_is_broken_off_is_no_failure_and_frees_its_trial(
    way: type[BaseException],
) -> None:
    guarded = half_open(half_open_calls=1)

    with pytest.raises(way):
        guarded.call(way())

    assert guarded.state == "half-open"
    guarded.succeed()
    assert guarded.state == "closed"


def test_a_call_that_is_broken_off_leaves_a_closed_breaker_as_it_was() -> None:
    guarded = Guarded(failure_threshold=1, open_seconds=10, half_open_calls=1)

    with pytest.raises(KeyboardInterrupt):
        guarded.call(KeyboardInterrupt())
    guarded.fail()
    guarded.clock.now += 10
    guarded.succeed()

    assert len(guarded.changes) == 3


def test_a_call_that_is_broken_off_after_a_change_frees_no_trial() -> None:
    guarded = Guarded(failure_threshold=1, open_seconds=10, half_open_calls=1)

    def outlive() -> None:
        guarded.fail()
        guarded.clock.now += 10
        guarded.breaker.do(None, break_off)

    def break_off() -> None:
        raise KeyboardInterrupt

    def first_trial() -> None:
        with pytest.raises(BreakerOpenError):
            guarded.call()

    with pytest.raises(KeyboardInterrupt):
        guarded.breaker.do(None, outlive)
    guarded.breaker.do(None, first_trial)

    assert guarded.state == "closed"


@pytest.mark.req("BRK-4", "BRK-5")
def test_it_tries_again_after_a_lambda_was_thawed_and_after_the_clock_went_back() -> None:
    thawed, set_back = opened(half_open_calls=1), opened(half_open_calls=1)

    thawed.clock.now += 3600
    thawed.succeed()
    set_back.clock.now -= 3600
    set_back.succeed()

    assert (thawed.state, set_back.state) == ("closed", "closed")
