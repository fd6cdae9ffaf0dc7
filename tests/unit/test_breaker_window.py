from __future__ import annotations

import random

import pytest

from chalicelib.breaker.window import Window

NOW = 1_700_000_000.0


def counts(window: Window) -> tuple[int, int, int]:
    return window.calls, window.failures, window.slow


def test_it_counts_calls_failures_and_slow_calls() -> None:
    window = Window(10)

    window.add(NOW)
    window.add(NOW + 1, failures=1)
    window.add(NOW + 2, failures=1, slow=1)

    assert counts(window) == (3, 2, 1)


def test_it_forgets_a_tenth_at_a_time() -> None:
    window = Window(10)
    for second in range(10):
        window.add(NOW + second, failures=1)

    window.add(NOW + 10)
    one = counts(window)
    window.add(NOW + 15)

    assert (one, counts(window)) == ((10, 9, 0), (6, 4, 0))


def test_after_a_long_pause_it_has_forgotten_everything() -> None:
    window = Window(10)
    window.add(NOW, calls=5, failures=5, slow=5)

    window.add(NOW + 86_400)

    assert counts(window) == (1, 0, 0)


def test_a_clock_that_was_read_a_little_earlier_loses_nothing() -> None:
    window = Window(10)
    window.add(NOW, failures=1)

    window.add(NOW - 1.5, failures=1)

    assert counts(window) == (2, 2, 0)


def test_a_clock_that_was_set_back_begins_anew() -> None:
    window = Window(10)
    window.add(NOW, failures=1)

    window.add(NOW - 3600, slow=1)

    assert counts(window) == (1, 0, 1)


@pytest.mark.parametrize(("seconds", "kept"), [(5, 6), (20, 10), (0.001, 1), (86_400, 10)])
def test_another_length_keeps_what_it_covers(seconds: float, kept: int) -> None:
    """Half a bucket is not known any more: six of the last five seconds."""
    window = Window(10)
    for second in range(10):
        window.add(NOW + second, failures=1)

    other = window.resized(seconds, NOW + 9)
    other.add(NOW + 9, calls=0)

    assert other.seconds == seconds
    assert other.failures == kept


def test_many_changes_of_length_forget_nothing() -> None:
    window = Window(60)
    for second in range(30):
        window.add(NOW + second, failures=1)

    for change in range(1000):
        window = window.resized(61 if change % 2 else 60, NOW + 30)

    assert counts(window) == (30, 30, 0)


def test_it_remembers_every_call_of_nine_tenths_and_none_older_than_the_whole() -> None:
    chance = random.Random(7)
    window, times, now = Window(60), list[float](), NOW

    for _ in range(5000):
        now += chance.expovariate(1.0) * chance.choice((0.1, 1, 30))
        times.append(now)
        window.add(now)
        recent = sum(now - time < 54 for time in times)
        assert recent <= window.calls <= sum(now - time < 60 for time in times)
        times = [time for time in times if now - time < 60]
