"""What a breaker costs: `python -m bench.breaker` prints microseconds a call."""

from __future__ import annotations

import logging
import threading
import time
import timeit
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chalicelib.breaker import BreakerOpenError, Config, Provider, new, with_config_centre

GOAL_MICROSECONDS = 10.0
_CALLS = 100_000
_ROUNDS = 7


class NoPolicies:
    """A configuration centre without a parameter; it is its own watch."""

    def list(self, path: str) -> list[Any]:
        return []

    def watch(self, path: str, callback: Callable[[Any], None]) -> NoPolicies:
        return self

    def close(self) -> None:
        pass


def microseconds(fn: Callable[[], object]) -> float:
    """The best of some rounds: what disturbs only ever adds."""
    return min(timeit.repeat(fn, number=_CALLS, repeat=_ROUNDS)) / _CALLS * 1e6


def provider() -> Provider:
    return new(Config("/bench/breaker"), with_config_centre(NoPolicies()))


def succeed() -> None:
    pass


def fail() -> None:
    raise TimeoutError


def closed() -> float:
    breaker = provider().get_breaker("closed")
    return microseconds(lambda: breaker.do(None, succeed)) - microseconds(succeed)


def refused() -> float:
    breaker = provider().get_breaker("refused")

    def call() -> None:
        with suppress(TimeoutError, BreakerOpenError):
            breaker.do(None, fail)

    for _ in range(10):
        call()
    assert breaker.state == "open"
    return microseconds(call)


def in_threads(threads: int = 8) -> float:
    """Processor time a call while several threads use one breaker."""
    breaker = provider().get_breaker("shared")

    def run() -> None:
        for _ in range(_CALLS):
            breaker.do(None, succeed)

    started = time.process_time()
    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return (time.process_time() - started) / (threads * _CALLS) * 1e6


def main() -> None:
    logging.disable()
    figure = closed()
    met = "met" if figure < GOAL_MICROSECONDS else "MISSED"
    print(f"do, closed              {figure:8.2f} µs   goal < {GOAL_MICROSECONDS:.0f} µs: {met}")
    print(f"do, closed, 8 threads   {in_threads():8.2f} µs")
    print(f"do, refused             {refused():8.2f} µs")


if __name__ == "__main__":
    main()
