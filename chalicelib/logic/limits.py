"""Rate limits that hold across all environments, at the price of few calls.

A sliding window counter: the last window's count, weighted by how much of it a window that ends
now would still cover, and the current one's, https://blog.cloudflare.com/counting-things-a-lot-of-different-things/.
An environment takes a lease of permits from the shared counter and spends them without a call.
"""

from __future__ import annotations

import ipaddress
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chalicelib.errors import RateLimitedError, UnavailableError

logger = logging.getLogger(__name__)

_AWAY_SECONDS = 5.0  # after a failed call nothing is asked, and everything allowed, for so long
_MAX_LEASES = 10_000  # some 2 MB
_ATTEMPTS = 3


class Counts(NamedTuple):
    """Permits that were taken in the current window and in the one before."""

    current: int
    previous: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in so many seconds.

    Attributes:
        limit: How many.
        seconds: The window.
        lease: How many permits an environment takes at once, at the most.
        free: How many an environment gives in a window before it asks and counts at all.
    """

    limit: int
    seconds: int
    lease: int = 1
    free: int = 0

    def spare(self, counts: Counts, now: float) -> int:
        """How many permits are left."""
        weight = 1 - now % self.seconds / self.seconds
        used = weight * min(counts.previous, self.limit) + counts.current
        return math.floor(self.limit - used)

    def wait(self, counts: Counts, permits: int, now: float) -> float:
        """Seconds until so many permits are left, if nobody takes any before."""
        if self.spare(counts, now) >= permits:
            return 1.0  # others were faster again and again
        elapsed = now % self.seconds
        before = self.limit - permits - counts.current
        previous = min(counts.previous, self.limit)
        if before >= 0 and previous:
            return max(self.seconds * (1 - before / previous) - elapsed, 0.001)
        current = max(min(counts.current, self.limit), 1)
        after = self.seconds * max(0.0, 1 - (self.limit - permits) / current)
        return self.seconds - elapsed + after


class Counters(Protocol):
    """The counters that all environments share."""

    def add(
        self, key: str, window: int, permits: int, *, at_most: int, expires_at: int
    ) -> tuple[bool, tuple[int, int]]:
        """Counts permits, unless the window would have more than ``at_most`` of them then.

        Returns:
            Whether it did; the counts of this window and of the one before.
        """


@dataclass(slots=True)
class _Lease:
    """What this environment holds and knows of one subject."""

    rate: Rate
    permits: int = 0
    size: int = 1
    expires_at: float = 0.0
    window: int = 0
    previous: int = 0
    refused_until: float = 0.0


class RateLimiter:
    """Lets requests pass, or not.

    In a window pass at most ``limit`` requests, and for each environment ``free`` ones and what
    was left of the lease of the window before. A lease begins with one permit and doubles while it
    is spent within a window, so an environment never holds more permits back than it has just
    used. While the store is away everything passes. Not for several threads at once.

    Args:
        counters: The shared counters.
        rates: The rates by name, as they are now; None means no limit.
        clock: Unix seconds.
    """

    def __init__(
        self,
        counters: Counters,
        rates: Callable[[], Mapping[str, Rate | None]],
        clock: Callable[[], float],
    ) -> None:
        self._counters = counters
        self._rates = rates
        self._clock = clock
        self._leases: dict[tuple[str, str], _Lease] = {}
        self._ask_again_at = 0.0
        self._is_away = False

    def take(self, subject: str, *names: str, cost: int = 1) -> None:
        """Takes permits for a user or an address.

        Args:
            subject: Whose.
            names: Of rates; the first that exists counts.
            cost: How many permits.

        Raises:
            RateLimitedError: There are not so many.
        """
        rates = self._rates()
        name = next(one for one in names if one in rates)
        rate = rates[name]
        if rate is None:
            return
        lease = self._leases.get((name, subject))
        if lease is None or lease.rate is not rate:
            lease = self._new_lease(name, subject, rate)
        cost = min(cost, rate.limit)
        now = self._clock()
        if cost > lease.permits or now >= lease.expires_at:
            self._renew(f"{name}#{rate.seconds}#{subject}", lease, cost, now)
        lease.permits -= cost

    def _new_lease(self, name: str, subject: str, rate: Rate) -> _Lease:
        if len(self._leases) >= _MAX_LEASES:
            del self._leases[next(iter(self._leases))]
        lease = self._leases[name, subject] = _Lease(rate)
        return lease

    def _renew(self, key: str, lease: _Lease, cost: int, now: float) -> None:
        if now < lease.refused_until:
            raise _refusal(lease, now)
        in_use = now < lease.expires_at
        left = lease.permits if in_use else 0
        lease.size = min(2 * lease.size, lease.rate.lease) if in_use else max(1, lease.rate.free)
        if not in_use and cost <= lease.rate.free:
            lease.permits, lease.expires_at = lease.rate.free, now + lease.rate.seconds
            return
        granted = self._granted(key, lease, cost - left, now)
        if not granted:
            raise _refusal(lease, now)
        lease.permits = left + granted
        lease.expires_at = now + lease.rate.seconds

    def _granted(self, key: str, lease: _Lease, need: int, now: float) -> int:
        """Permits from the store, none or enough; as many as are needed while it is away."""
        if now < self._ask_again_at:
            return need
        try:
            granted = self._ask(key, lease, need, now)
        except UnavailableError as error:
            if not self._is_away:
                logger.warning("limits are not enforced", extra={"error": str(error)})
            self._is_away = True
            self._ask_again_at = now + _AWAY_SECONDS
            return need
        if self._is_away:
            logger.info("limits are enforced again")
            self._is_away = False
        return granted

    def _ask(self, key: str, lease: _Lease, need: int, now: float) -> int:
        rate = lease.rate
        window = int(now // rate.seconds)
        counts = Counts(0, lease.previous if lease.window == window else 0)
        for _ in range(_ATTEMPTS):
            spare = rate.spare(counts, now)
            if spare < need:
                break
            permits = min(max(lease.size, need), spare)
            is_added, found = self._counters.add(
                key,
                window,
                permits,
                at_most=counts.current + spare,
                expires_at=(window + 2) * rate.seconds,
            )
            counts = Counts(*found)
            lease.window, lease.previous = window, counts.previous
            # What the last window weighs may have become known with this very call.
            granted = permits + min(0, rate.spare(counts, now))
            if is_added and granted >= need:
                return granted
        lease.refused_until = now + rate.wait(counts, need, now)
        return 0


def network(address: str) -> str:
    """Whom an address stands for: an IPv6 client has a whole /64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _refusal(lease: _Lease, now: float) -> RateLimitedError:
    rate = lease.rate
    return RateLimitedError(
        f"at most {rate.limit} in {rate.seconds} s", retry_after=lease.refused_until - now
    )
