from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import coord
from chalicelib.breaker import (
    Config,
    new,
    with_config_centre,
    with_logger,
)
from tests.unit.test_breaker_fakes import (
    PATH,
    Centre,
    Guarded,
    failures_until_open,
    provider,
)


@pytest.mark.req("BRK-2")
def test_a_name_has_one_breaker_and_names_have_different_ones() -> None:
    made = provider(Centre())

    shop = made.get_breaker("shop")

    assert made.get_breaker("shop") is shop
    assert made.get_breaker("stock") is not shop


class Held(coord.Parameter):
    """A parameter that is being read, under the provider's lock, until it is released."""

    reading, released = threading.Event(), threading.Event()

    @property
    def value(self) -> str:
        self.reading.set()
        self.released.wait(30)
        return "{}"


@pytest.mark.req("BRK-2", "BRK-6")
def test_32_threads_that_ask_at_once_get_the_same_breaker() -> None:
    centre = Centre()
    made = provider(centre)
    barrier = threading.Barrier(33)
    held = Held.__new__(Held)

    def ask(_: int) -> list[object]:
        barrier.wait(30)
        return [made.get_breaker(f"shop-{number}") for number in range(200)]

    with ThreadPoolExecutor(33) as pool:
        assert centre.callback
        pool.submit(centre.callback, {f"{PATH}/held": held})
        held.reading.wait(30)
        answers = [pool.submit(ask, number) for number in range(32)]
        barrier.wait(30)
        held.released.set()

    results = [answer.result() for answer in answers]
    assert all(len({id(one) for one in same}) == 1 for same in zip(*results, strict=True))


@pytest.mark.req("BRK-3")
def test_all_policies_are_loaded_at_the_start_and_once() -> None:
    centre = Centre(shop={"failure_threshold": 3}, stock={"failure_threshold": 4})
    made = provider(centre)

    assert failures_until_open(made, "shop") == 3
    assert failures_until_open(made, "stock") == 4
    assert centre.calls == [f"watch {PATH}", f"list {PATH}"]


@pytest.mark.req("BRK-3")
def test_a_name_without_a_policy_has_the_default_one() -> None:
    built_in = provider(Centre())
    stored = provider(Centre(default={"failure_threshold": 2}, shop={"failure_threshold": 3}))

    assert failures_until_open(built_in, "other") == 10
    assert failures_until_open(stored, "other") == 2


@pytest.mark.req("BRK-3")
def test_a_slash_at_the_end_of_the_path_makes_no_difference() -> None:
    centre = Centre(shop={"failure_threshold": 3})
    made = new(Config(PATH + "/"), with_config_centre(centre))

    assert failures_until_open(made, "shop") == 3
    assert centre.calls == [f"watch {PATH}", f"list {PATH}"]


def test_a_path_without_a_slash_at_its_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match="policies_path: expected /a/path, found 'breaker'"):
        Config("breaker")


@pytest.mark.req("BRK-4")
def test_what_the_watch_tells_is_not_undone_by_what_was_read_before() -> None:
    class Late(Centre):
        def list(self, path: str) -> list[coord.Parameter]:
            read = super().list(path)
            self.put(shop={"failure_threshold": 2})
            return read

    assert failures_until_open(provider(Late(shop={"failure_threshold": 3})), "shop") == 2


@pytest.mark.req("BRK-3", "BRK-4")
def test_a_watch_that_tells_at_once_saves_the_reading() -> None:
    class Eager(Centre):
        def watch(self, path: str, callback: Any) -> Centre:
            callback(dict(self.parameters))
            return super().watch(path, callback)

    centre = Eager(shop={"failure_threshold": 2})

    assert failures_until_open(provider(centre), "shop") == 2
    assert centre.calls == [f"watch {PATH}"]


@pytest.mark.req("BRK-3", "BRK-4")
def test_without_parameter_store_it_starts_with_the_built_in_policy_and_follows_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    centre = Centre(shop={"failure_threshold": 3})
    centre.away = True

    made = provider(centre)
    built_in = failures_until_open(made, "other")
    made.get_breaker("shop")
    centre.put()

    assert "breaker policies cannot be read" in caplog.messages
    assert (built_in, failures_until_open(made, "shop")) == (10, 3)


@pytest.mark.req("BRK-1")
def test_close_ends_the_watch_once_and_breakers_go_on() -> None:
    guarded = Guarded(failure_threshold=2)

    guarded.provider.close()
    guarded.provider.close()
    guarded.fail(2)

    assert guarded.centre.calls.count("close") == 1
    assert guarded.state == "open"
    assert guarded.provider.get_breaker("later").state == "closed"


def test_it_logs_where_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.breaker")

    new(Config(PATH), with_config_centre(Centre(shop="{")), with_logger(logger))

    assert [record.name for record in caplog.records] == ["tests.breaker"]


def test_without_a_centre_it_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    centre = Centre(shop={"failure_threshold": 2})
    monkeypatch.setattr(coord, "new", lambda: centre)

    assert failures_until_open(new(Config(PATH)), "shop") == 2
