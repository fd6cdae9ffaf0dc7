"""Guessing passwords is slow: a lock for each account and address."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from chalicelib.errors import InvalidCredentialsError, RateLimitedError
from chalicelib.logic.limits import network
from chalicelib.logic.policies import AuthPolicy

ACCOUNT = "account"  # the rate for attempts at one account, wherever they come from
_FIRST_LOCK_SECONDS = 30.0


class FailedLogins(Protocol):
    """Failures for one account and address, and when the last one was."""

    @property
    def failures(self) -> int: ...
    @property
    def at(self) -> float: ...


class Store(Protocol):
    """The failures by key."""

    def get(self, key: str) -> FailedLogins | None: ...
    def add(self, key: str, *, at: float, since: float, expires_at: int) -> None: ...
    def claim(self, key: str, *, at: float, seen: float) -> bool: ...
    def forget(self, key: str) -> None: ...


class Limiter(Protocol):
    """Takes permits or raises RateLimitedError."""

    def take(self, subject: str, *names: str) -> None: ...


class LoginLock:
    """Locks an account for an address after some failures, longer with each further one.

    Other addresses are not locked, so nobody can lock somebody else out; a rate for attempts at
    the account slows those who guess from many. A name that nobody has is treated like any other.
    """

    def __init__(
        self,
        store: Store,
        limiter: Limiter,
        *,
        policy: Callable[[], AuthPolicy],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._limiter = limiter
        self._policy = policy
        self._clock = clock

    @contextmanager
    def attempt(self, account: str, address: str) -> Iterator[None]:
        """Around an attempt: a failure in it counts, a success forgets the earlier failures.

        Raises:
            RateLimitedError: It may not be made now.
        """
        # Hashed, for people also type their password where the name belongs.
        name = _hash(account.lower())
        key = _hash(f"{name} {network(address)}")
        has_failed = self._enter(key)
        self._limiter.take(name, ACCOUNT)
        try:
            yield
        except InvalidCredentialsError:
            now, memory = self._clock(), self._policy().login_failures_seconds
            self._store.add(key, at=now, since=now - memory, expires_at=int(now) + memory)
            raise
        if has_failed:
            self._store.forget(key)

    def _enter(self, key: str) -> bool:
        known, now, policy = self._store.get(key), self._clock(), self._policy()
        if known is None:
            return False
        surplus = known.failures - policy.login_failures
        if surplus < 0 or known.at + policy.login_failures_seconds <= now:
            return True
        lock = min(_FIRST_LOCK_SECONDS * 2 ** min(surplus, 30), policy.login_failures_seconds)
        # Of many attempts at the end of the lock one is made: as if it had failed, so far.
        if now < known.at + lock or not self._store.claim(key, at=now, seen=known.at):
            raise RateLimitedError(
                "too many failed log-ins", retry_after=max(known.at + lock - now, 1.0)
            )
        return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
