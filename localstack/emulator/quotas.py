"""What a test or a laptop may want otherwise than AWS has it: time, rates, faults."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the gateways; the rates are off by default, for a laptop is no account.

    Attributes:
        time_scale: The timers of connections (idle, age) are divided by it.
        connects_per_second: New connections; AWS's default quota is 500. None is no limit.
        connect_burst: As many at once; a second's worth when it is not given.
        requests_per_second: Frames, posts and REST requests together; AWS: 10,000.
        request_burst: As many at once.
        lost_disconnects: The fraction of ``$disconnect`` events that never happen.
        seed: Which of them.
        region: Part of ARNs.
        account: Part of ARNs.
    """

    time_scale: float = 1.0
    connects_per_second: float | None = None
    connect_burst: int | None = None
    requests_per_second: float | None = None
    request_burst: int | None = None
    lost_disconnects: float = 0.0
    seed: int = 0
    region: str = "us-east-1"
    account: str = "000000000000"


class TokenBucket:
    """A rate with a burst, as API Gateway's throttling has it."""

    def __init__(
        self,
        rate: float | None,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = burst if burst is not None else max(rate or 0.0, 1.0)
        self._tokens = self._burst
        self._clock = clock
        self._at = clock()

    def take(self) -> bool:
        """Whether one more fits."""
        if self._rate is None:
            return True
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
