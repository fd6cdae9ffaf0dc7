"""Commands of several keys that are worked on at once."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest

from chalicelib.broker import PoisonError, Retry, decode
from chalicelib.context import Context
from tests.unit.broker_fakes import Fixture


@pytest.fixture
def on() -> Fixture:
    return Fixture()


def test_keys_are_worked_on_at_once_and_each_in_order(on: Fixture) -> None:
    others_done = threading.Event()
    done: dict[str, list[int]] = defaultdict(list)

    @on.broker.task("post", group="posts", lanes=4)
    def post(_ctx: Context, who: str, number: int) -> None:
        if who == "dead":
            assert others_done.wait(30), "the others waited for this one"
        done[who].append(number)
        if done["a"] == [0, 1, 2] and done["b"] == [0, 1, 2]:
            others_done.set()

    for number in range(3):
        for who in ("dead", "a", "b"):
            post.kiq(Context(), who, who, number)

    on.broker.run("posts", decode(on.taken()))

    assert done == {"dead": [0, 1, 2], "a": [0, 1, 2], "b": [0, 1, 2]}


def test_each_failure_is_its_own(on: Fixture) -> None:
    posted = []

    @on.broker.task("post", group="posts", lanes=4, retry=Retry(attempts=2))
    def post(_ctx: Context, who: str) -> None:
        if who == "poison":
            raise PoisonError("no")
        if who == "away":
            raise OSError("away")
        posted.append(who)

    for who in ("poison", "away", "well"):
        post.kiq(Context(), who, who)

    on.broker.run("posts", decode(on.taken()))

    assert posted == ["well"]
    assert [command.key for command, _ in on.parked] == ["poison"]
    assert len(on.delays.kept) == 1


def test_without_a_retry_a_failure_brings_the_batch_again_when_all_have_ended(on: Fixture) -> None:
    posted = []

    @on.broker.task("post", group="posts", lanes=4)
    def post(_ctx: Context, who: str) -> None:
        if who == "away":
            raise OSError("away")
        posted.append(who)

    for who in ("away", "well"):
        post.kiq(Context(), who, who)

    with pytest.raises(OSError, match="away"):
        on.broker.run("posts", decode(on.taken()))

    assert posted == ["well"]
