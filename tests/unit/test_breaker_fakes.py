"""What the tests of breakers share; there are no tests in here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib.breaker import (
    Breaker,
    Config,
    Provider,
    new,
    with_clock,
    with_config_centre,
    with_on_change,
)
from chalicelib.coord import CoordError, Parameter

PATH = "/lambchat/unit/breaker"
Callback = Callable[[Mapping[str, Parameter]], None]


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Centre:
    """A configuration centre; it is its own watch."""

    def __init__(self, **policies: Any) -> None:
        self.parameters: dict[str, Parameter] = {}
        self.callback: Callback | None = None
        self.away = False
        self.calls: list[str] = []
        self.put(**policies)

    def put(self, **policies: Any) -> None:
        """Stores documents (None removes one) and tells the watch."""
        for name, policy in policies.items():
            path = f"{PATH}/{name}"
            text = policy if isinstance(policy, str) else json.dumps(policy)
            self.parameters[path] = Parameter(path, text, 1)
            if policy is None:
                del self.parameters[path]
        if self.callback:
            self.callback(dict(self.parameters))

    def list(self, path: str) -> list[Parameter]:
        self.calls.append(f"list {path}")
        if self.away:
            raise CoordError(f"cannot list {path}: Unreachable")
        return list(self.parameters.values())

    def watch(self, path: str, callback: Callback) -> Centre:
        self.calls.append(f"watch {path}")
        self.callback = callback
        return self

    def close(self) -> None:
        self.calls.append("close")


class DownstreamError(Exception):
    """What a call of a downstream may raise."""


class Guarded:
    """One breaker with a clock, and a record of its changes and of the calls that got through."""

    def __init__(self, *, ignore: Callable[[Exception], bool] | None = None, **policy: Any) -> None:
        self.clock, self.centre = Clock(), Centre(shop=policy)
        self.changes: list[tuple[str, str, str]] = []
        self.calls = 0
        self.provider = new(
            Config(PATH, ignore=ignore) if ignore else Config(PATH),
            with_config_centre(self.centre),
            with_clock(self.clock),
            with_on_change(lambda *change: self.changes.append(change)),
        )
        self.breaker: Breaker = self.provider.get_breaker("shop")

    @property
    def state(self) -> str:
        return self.breaker.state

    def call(self, error: BaseException | None = None, *, seconds: float = 0.0) -> str:
        """What the breaker makes of a call; an error of the downstream is swallowed."""

        def fn() -> str:
            self.calls += 1
            self.clock.now += seconds
            if error:
                raise error
            return "answer"

        try:
            return self.breaker.do(None, fn)
        except DownstreamError:
            return "failed"

    def succeed(self, times: int = 1, *, seconds: float = 0.0) -> None:
        for _ in range(times):
            assert self.call(seconds=seconds) == "answer"

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.call(DownstreamError()) == "failed"


def opened(**policy: Any) -> Guarded:
    """A breaker that has just opened, for 10 s."""
    guarded = Guarded(**{"failure_threshold": 1, "open_seconds": 10, **policy})
    guarded.fail()
    return guarded


def half_open(**policy: Any) -> Guarded:
    """A breaker whose next call is the first trial."""
    guarded = opened(**policy)
    guarded.clock.now += 10
    return guarded


def provider(centre: Centre) -> Provider:
    return new(Config(PATH), with_config_centre(centre), with_clock(Clock()))


def failures_until_open(made: Provider, name: str) -> int:
    def fail() -> None:
        raise DownstreamError

    for count in range(1, 100):
        with pytest.raises(DownstreamError):
            made.get_breaker(name).do(None, fail)
        if made.get_breaker(name).state == "open":
            return count
    raise AssertionError("it never opened")
