from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import coord
from chalicelib.breaker import (
    BreakerOpenError,
    Config,
    new,
    with_clock,
    with_config_centre,
    with_on_change,
)
from tests.unit.test_breaker_fakes import (
    PATH,
    Centre,
    Clock,
    Guarded,
    failures_until_open,
    half_open,
    provider,
)


@pytest.mark.req("BRK-4", "BRK-6")
def test_a_breaker_takes_a_new_policy_and_keeps_what_it_counted() -> None:
    guarded = Guarded(failure_threshold=10, window_seconds=60)
    guarded.fail(3)

    guarded.centre.put(shop={"failure_threshold": 5, "window_seconds": 30})
    guarded.fail()
    below = guarded.state
    guarded.fail()

    assert (below, guarded.state) == ("closed", "open")
    assert guarded.provider.get_breaker("shop") is guarded.breaker


@pytest.mark.req("BRK-4", "BRK-6")
def test_an_open_breaker_stays_open_for_as_long_as_the_new_policy_says() -> None:
    guarded = Guarded(failure_threshold=1, open_seconds=10)
    guarded.fail()

    guarded.centre.put(shop={"open_seconds": 20, "half_open_calls": 1})
    guarded.clock.now += 19

    with pytest.raises(BreakerOpenError) as refused:
        guarded.call()
    assert refused.value.retry_after == 1.0
    guarded.clock.now += 1
    guarded.succeed()
    assert guarded.state == "closed"


@pytest.mark.req("BRK-4", "BRK-6")
def test_a_half_open_breaker_closes_when_the_new_policy_is_content() -> None:
    guarded = half_open(half_open_calls=5)
    guarded.succeed(3)

    guarded.centre.put(shop={"half_open_calls": 4})
    trying = guarded.state
    guarded.centre.put(shop={"half_open_calls": 3})

    assert (trying, guarded.state) == ("half-open", "closed")
    assert guarded.changes[-1] == ("shop", "half-open", "closed")


@pytest.mark.req("BRK-4", "BRK-6")
def test_a_new_policy_is_that_of_breakers_made_later() -> None:
    centre = Centre()
    made = provider(centre)

    centre.put(shop={"failure_threshold": 2})

    assert failures_until_open(made, "shop") == 2


@pytest.mark.req("BRK-4", "BRK-6")
def test_a_policy_that_is_removed_gives_way_to_the_default() -> None:
    guarded = Guarded(failure_threshold=2)
    guarded.centre.put(default={"failure_threshold": 4})

    guarded.centre.put(shop=None)
    guarded.fail(3)
    below = guarded.state
    guarded.fail()

    assert (below, guarded.state) == ("closed", "open")


@pytest.mark.req("BRK-4", "BRK-6")
def test_a_changed_default_reaches_the_breakers_without_a_policy_only() -> None:
    centre = Centre(shop={"failure_threshold": 3})
    made = provider(centre)
    made.get_breaker("shop")
    made.get_breaker("other")

    centre.put(default={"failure_threshold": 2})

    assert failures_until_open(made, "shop") == 3
    assert failures_until_open(made, "other") == 2


@pytest.mark.req("BRK-4", "BRK-6")
@pytest.mark.parametrize("broken", ["{", "[]", '{"failure_threshold": 0}', '{"threshold": 1}'])
def test_a_broken_policy_is_refused_with_a_log_line_and_the_last_good_one_stays(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    centre = Centre(shop={"failure_threshold": 3}, stock={"failure_threshold": 1})
    made = provider(centre)
    made.get_breaker("shop")

    centre.put(shop=broken, stock={"failure_threshold": 2})

    record: Any = caplog.records[-2]
    assert (record.message, record.levelno) == ("breaker policy refused", logging.ERROR)
    assert record.path == f"{PATH}/shop"
    assert "expected" in record.error
    assert failures_until_open(made, "shop") == 3
    assert failures_until_open(made, "stock") == 2


@pytest.mark.req("BRK-4")
def test_a_policy_that_was_never_good_leaves_the_default(caplog: pytest.LogCaptureFixture) -> None:
    made = provider(Centre(shop="{", default={"failure_threshold": 2}))

    assert "breaker policy refused" in caplog.messages
    assert failures_until_open(made, "shop") == 2


@pytest.mark.req("BRK-4")
def test_a_broken_policy_can_be_repaired() -> None:
    centre = Centre(shop="{")
    made = provider(centre)
    made.get_breaker("shop")

    centre.put(shop={"failure_threshold": 2})

    assert failures_until_open(made, "shop") == 2


class Store:
    """Parameter Store with one policy."""

    version = 1

    def __init__(self, **policy: Any) -> None:
        self.policy = policy

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]:
        version, text = self.version, json.dumps(self.policy)
        return {"Parameters": [{"Name": f"{PATH}/shop", "Value": text, "Version": version}]}

    def put(self, **policy: Any) -> None:
        self.policy = policy
        self.version += 1


@pytest.mark.req("BRK-3", "BRK-4")
def test_in_a_lambda_a_change_arrives_with_the_check_after_it_was_thawed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "send")
    store, clock = Store(failure_threshold=3, half_open_calls=1), Clock()
    centre = coord.ConfigCentre(store, clock=clock)
    made = new(Config(PATH), with_config_centre(centre), with_clock(clock))
    before = failures_until_open(made, "shop")

    store.put(failure_threshold=2, half_open_calls=1)
    clock.now += 3600
    centre.check()
    made.get_breaker("shop").do(None, lambda: None)

    assert (before, failures_until_open(made, "shop")) == (3, 2)


@pytest.mark.req("BRK-4")
def test_in_a_long_lived_process_a_change_arrives_by_itself() -> None:
    store, clock, closed = Store(failure_threshold=1, half_open_calls=5), Clock(), threading.Event()
    centre = coord.ConfigCentre(store, max_age_seconds=0.01)
    made = new(
        Config(PATH),
        with_config_centre(centre),
        with_clock(clock),
        with_on_change(lambda _, __, new_state: closed.set() if new_state == "closed" else None),
    )
    assert failures_until_open(made, "shop") == 1
    clock.now += 10
    made.get_breaker("shop").do(None, lambda: None)

    store.put(half_open_calls=1)

    assert closed.wait(30)
    made.close()


@pytest.mark.req("BRK-4", "BRK-6")
def test_policies_change_while_calls_run() -> None:
    guarded = Guarded(failure_threshold=10**6, minimum_calls=10**6)
    finished = threading.Event()

    def change() -> int:
        changes = 0
        while not finished.is_set():
            changes += 1
            limits = {"failure_threshold": 10**6 + changes, "minimum_calls": 10**6}
            guarded.centre.put(shop={**limits, "window_seconds": 60 + changes % 2})
        return changes

    with ThreadPoolExecutor(9) as pool:
        changing = pool.submit(change)
        list(pool.map(guarded.fail, [300] * 8))
        finished.set()

    assert changing.result() > 1
    assert guarded.calls == 2400
    guarded.centre.put(shop={"failure_threshold": 2401})
    guarded.fail()
    assert guarded.state == "open"


@pytest.mark.req("BRK-4")
def test_a_callback_of_an_update_may_ask_for_another_breaker() -> None:
    centre, asked = Centre(default={"failure_threshold": 1, "half_open_calls": 5}), list[str]()
    made, clock = None, Clock()

    def ask(_: str, __: str, new_state: str) -> None:
        if made:
            asked.append(made.get_breaker(f"for {new_state}").name)

    made = new(Config(PATH), with_config_centre(centre), with_clock(clock), with_on_change(ask))
    failures_until_open(made, "shop")
    clock.now += 10
    made.get_breaker("shop").do(None, lambda: None)
    centre.put(default={"half_open_calls": 1})

    assert asked == ["for open", "for half-open", "for closed"]
