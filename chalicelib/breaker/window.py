"""The outcomes of the last seconds, counted in a ring of buckets."""

from __future__ import annotations

from typing import Self

BUCKETS = 10  # a window forgets a tenth of itself at a time


class Window:
    """Counts calls; the caller holds a lock.

    Adding costs the same however many calls are remembered.

    Attributes:
        seconds: How long a call is remembered.
        calls: How many calls are remembered; of those ``failures`` failed, ``slow`` were slow.
    """

    __slots__ = ("_buckets", "_tick", "_width", "calls", "failures", "seconds", "slow")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._width = seconds / BUCKETS
        self._tick = 0
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self._buckets = [[0, 0, 0] for _ in range(BUCKETS)]
        self.calls = self.failures = self.slow = 0

    def add(self, now: float, *, calls: int = 1, failures: int = 0, slow: int = 0) -> None:
        """Counts calls that ended ``now`` (Unix seconds)."""
        tick = int(now / self._width)
        if tick != self._tick:
            self._advance(tick)
        bucket = self._buckets[self._tick % BUCKETS]
        bucket[0] += calls
        bucket[1] += failures
        bucket[2] += slow
        self.calls += calls
        self.failures += failures
        self.slow += slow

    def resized(self, seconds: float, now: float) -> Self:
        """A window of another length with what it still remembers of this one."""
        other = type(self)(seconds)
        half = self._width / 2  # what is known of a call's time; its bucket's edge would drift
        for tick in range(self._tick - BUCKETS + 1, self._tick + 1):
            calls, failures, slow = self._buckets[tick % BUCKETS]
            if calls:
                at = min(tick * self._width + half, now)
                other.add(at, calls=calls, failures=failures, slow=slow)
        return other

    def _advance(self, tick: int) -> None:
        step = tick - self._tick
        if -BUCKETS < step < 0:
            return  # another thread read the clock later and came first: the newest bucket will do
        if 0 < step < BUCKETS:
            for passed in range(self._tick + 1, tick + 1):
                self._forget(passed % BUCKETS)
        else:
            self.clear()
        self._tick = tick

    def _forget(self, index: int) -> None:
        calls, failures, slow = self._buckets[index]
        self._buckets[index] = [0, 0, 0]
        self.calls -= calls
        self.failures -= failures
        self.slow -= slow
