"""Fakes at the ports of rate limits and of the lock on log-ins."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from chalicelib.errors import UnavailableError


class FakeCounters:
    """Counters in memory, and how often they were asked."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self.calls = 0
        self.is_away = False

    def add(
        self, key: str, window: int, permits: int, *, at_most: int, expires_at: int
    ) -> tuple[bool, tuple[int, int]]:
        self.calls += 1
        if self.is_away:
            raise UnavailableError("the store answered Unreachable")
        is_added = self.counts[key, window] + permits <= at_most
        self.counts[key, window] += permits if is_added else 0
        return is_added, (self.counts[key, window], self.counts[key, window - 1])


class FailedLogins(NamedTuple):
    failures: int
    at: float


class FakeFailedLogins:
    """Failed log-ins in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, FailedLogins] = {}

    def get(self, key: str) -> FailedLogins | None:
        return self.rows.get(key)

    def add(self, key: str, *, at: float, since: float, expires_at: int) -> None:
        known = self.rows.get(key)
        before = known.failures if known and known.at > since else 0
        self.rows[key] = FailedLogins(before + 1, at)

    def claim(self, key: str, *, at: float, seen: float) -> bool:
        known = self.rows.get(key)
        if known is None or known.at != seen:
            return False
        self.rows[key] = FailedLogins(known.failures, at)
        return True

    def forget(self, key: str) -> None:
        self.rows.pop(key, None)
