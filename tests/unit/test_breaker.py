from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest

from chalicelib.breaker import (
    BreakerOpenError,
    Config,
    new,
    with_clock,
    with_config_centre,
    with_on_change,
)
from chalicelib.context import Context
from tests.unit.test_breaker_fakes import (
    PATH,
    Centre,
    Clock,
    DownstreamError,
    Guarded,
    half_open,
    opened,
)


@pytest.mark.req("BRK-1", "BRK-5")
def test_a_closed_breaker_calls_and_returns_the_result() -> None:
    guarded = Guarded()
    answer = object()

    assert guarded.breaker.do(None, lambda: answer) is answer
    assert guarded.breaker.do(Context(), lambda: answer) is answer
    assert (guarded.breaker.name, guarded.state) == ("shop", "closed")


@pytest.mark.req("BRK-1", "BRK-5")
def test_an_error_of_the_downstream_comes_through_as_it_is_also_from_the_call_that_opens() -> None:
    breaker, error = Guarded(failure_threshold=1).breaker, DownstreamError()

    def fail() -> None:
        raise error

    with pytest.raises(DownstreamError) as raised:
        breaker.do(None, fail)

    assert raised.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert breaker.state == "open"


@pytest.mark.req("BRK-5")
def test_it_opens_when_the_window_has_as_many_failures_as_the_threshold() -> None:
    guarded = Guarded(failure_threshold=3, minimum_calls=1000)
    guarded.succeed(20)

    guarded.fail(2)
    below = guarded.state
    guarded.fail()

    assert (below, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-5")
def test_it_opens_at_the_failure_rate_once_there_are_enough_calls() -> None:
    guarded = Guarded(failure_rate=0.3, minimum_calls=10, failure_threshold=1000)

    guarded.fail(3)
    guarded.succeed(6)
    too_few = guarded.state
    guarded.succeed()

    assert (too_few, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-5")
def test_it_stays_closed_below_the_failure_rate() -> None:
    guarded = Guarded(failure_rate=0.3, minimum_calls=10, failure_threshold=1000)
    guarded.succeed(8)

    guarded.fail(3)

    assert guarded.state == "closed"


@pytest.mark.req("BRK-5")
@pytest.mark.parametrize("error", [None, DownstreamError()])
def test_it_opens_at_the_rate_of_slow_calls(error: Exception | None) -> None:
    guarded = Guarded(slow_call_seconds=2, slow_call_rate=0.5, minimum_calls=4, failure_rate=1)
    guarded.succeed(2, seconds=1.9)

    guarded.call(error, seconds=2)
    below = guarded.state
    guarded.call(error, seconds=2)

    assert (below, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-5")
def test_failures_that_left_the_window_do_not_count() -> None:
    guarded = Guarded(failure_threshold=3, window_seconds=10)
    guarded.fail(2)

    guarded.clock.now += 10
    guarded.fail(2)
    apart = guarded.state
    guarded.clock.now += 8
    guarded.fail()

    assert (apart, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-1", "BRK-5")
def test_an_open_breaker_refuses_without_calling_and_says_when_to_come_back() -> None:
    guarded = opened()
    guarded.clock.now += 4

    with pytest.raises(BreakerOpenError, match="breaker shop is open: retry after 6") as refused:
        guarded.call()

    assert (refused.value.name, refused.value.retry_after) == ("shop", 6.0)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)
    assert guarded.calls == 1


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(BreakerOpenError("shop", 2.5)))

    assert (error.name, error.retry_after) == ("shop", 2.5)


@pytest.mark.req("BRK-5")
def test_errors_to_be_ignored_are_raised_and_count_as_successes() -> None:
    guarded = half_open(
        ignore=lambda error: isinstance(error, LookupError), half_open_calls=1, minimum_calls=1
    )

    for _ in range(3):
        with pytest.raises(KeyError):
            guarded.call(KeyError())

    assert guarded.state == "closed"


def test_a_predicate_that_fails_hides_no_error_and_the_error_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guarded = Guarded(ignore=lambda error: bool(1 / 0), failure_threshold=1)

    guarded.fail()

    assert guarded.state == "open"
    assert "breaker predicate failed" in caplog.messages


@pytest.mark.req("BRK-5")
def test_each_change_is_a_log_line_with_fields(caplog: pytest.LogCaptureFixture) -> None:
    guarded = Guarded(failure_threshold=2)
    guarded.succeed()
    guarded.fail()

    with pytest.raises(DownstreamError):
        guarded.breaker.do(Context(trace_id="7e57"), _fail)

    record: Any = caplog.records[-1]
    assert (record.message, record.levelno) == ("breaker changed its state", logging.WARNING)
    assert (record.breaker, record.old_state, record.new_state) == ("shop", "closed", "open")
    assert (record.calls, record.failures, record.slow_calls) == (3, 2, 0)
    assert record.trace_id == "7e57"


def test_a_callback_that_fails_disturbs_neither_the_call_nor_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes: list[str] = []
    provider = new(
        Config(PATH),
        with_config_centre(Centre(default={"failure_threshold": 1})),
        with_on_change(lambda *_: changes.append(str(1 / 0))),
        with_on_change(lambda *change: changes.append(change[2])),
    )

    with pytest.raises(DownstreamError):
        provider.get_breaker("shop").do(None, _fail)

    assert changes == ["open"]
    assert "breaker callback failed" in caplog.messages


def test_a_callback_may_use_the_breaker_and_hears_what_it_causes_after_what_it_hears() -> None:
    clock, changes = Clock(), list[str]()

    def recover(name: str, _: str, new_state: str) -> None:
        if new_state == "open":
            clock.now += 10
            provider.get_breaker(name).do(None, lambda: None)
        changes.append(new_state)

    centre = Centre(default={"failure_threshold": 1, "half_open_calls": 1})
    options = with_config_centre(centre), with_clock(clock), with_on_change(recover)
    provider = new(Config(PATH), *options)
    with pytest.raises(DownstreamError):
        provider.get_breaker("shop").do(None, _fail)

    assert changes == ["open", "half-open", "closed"]


def _fail() -> None:
    raise DownstreamError
