"""The composition root's part for who is let in, and how often; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts

if TYPE_CHECKING:
    from chalicelib.logic.admission import Followed, HttpPolicy
    from chalicelib.logic.limits import RateLimiter
    from chalicelib.logic.login_lock import LoginLock
    from chalicelib.repo.limits import CounterRepository, FailedLoginRepository

_TIMEOUT_SECONDS = 1.0  # a frame must not wait for its limit


@cache
def counters() -> CounterRepository:
    """The counters of rate limits, on a connection that is not patient."""
    from chalicelib.aws import dynamodb
    from chalicelib.bootstrap_downstream import guard
    from chalicelib.guards import DYNAMODB
    from chalicelib.repo.limits import CounterRepository

    return CounterRepository(dynamodb(guard=guard(DYNAMODB), timeout=_TIMEOUT_SECONDS))


@cache
def failed_logins() -> FailedLoginRepository:
    """The failed log-ins."""
    from chalicelib.repo.limits import FailedLoginRepository

    return FailedLoginRepository(bootstrap.store())


@cache
def limiter() -> RateLimiter:
    """Lets requests and frames pass, or not."""
    from chalicelib.logic.admission import DEFAULT_RATES, Followed, parse_limits
    from chalicelib.logic.limits import RateLimiter

    return RateLimiter(
        counters(), Followed(_reader("limits"), parse_limits, DEFAULT_RATES), time.time
    )


@cache
def login_lock() -> LoginLock:
    """Slows those who guess passwords."""
    from chalicelib.logic.login_lock import LoginLock

    return LoginLock(failed_logins(), limiter(), policy=accounts.auth_policy, clock=time.time)


def http_policy() -> HttpPolicy:
    """Which origins and which versions of clients are let in."""
    return followed_http_policy()()


@cache
def followed_http_policy() -> Followed[HttpPolicy]:
    """The same, as it is read."""
    from chalicelib.logic.admission import Followed, HttpPolicy, parse_http

    return Followed(_reader("http"), parse_http, HttpPolicy())


def _reader(name: str) -> Callable[[], str | None]:
    """Reads a policy; None where there is none, or it cannot be read."""
    from chalicelib.coord import CoordError, parameter_path

    path = parameter_path("policy", name)

    def read() -> str | None:
        try:
            found = bootstrap.centre().get(path)
        except CoordError:
            return None
        return found.value if found else None

    return read
