"""The state machine of one breaker: pybreaker's, driven by our window and clock.

pybreaker keeps the state and counts successful trials. Its ``call`` is never used: it would hold
its lock while the guarded call runs. Its objects are touched under our lock only, except for
``current_state``, which is one attribute of its storage.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import pybreaker

from chalicelib.breaker.policy import Policy
from chalicelib.breaker.window import Window
from chalicelib.context import Context

State = Literal["closed", "open", "half-open"]
OnChange = Callable[[str, str, str], None]

_CLOSED, _OPEN = pybreaker.STATE_CLOSED, pybreaker.STATE_OPEN


@dataclass(frozen=True, slots=True)
class _Change:
    old: str
    new: str
    calls: int
    failures: int
    slow: int


class _Listener(pybreaker.CircuitBreakerListener):
    def __init__(self, moved: Callable[[str, str], None]) -> None:
        self._moved = moved

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        self._moved(old_state.name if old_state else _CLOSED, new_state.name)


class Circuit:
    """Decides which calls go through, and learns from how they end."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        *,
        clock: Callable[[], float],
        logger: logging.Logger,
        on_change: Sequence[OnChange],
    ) -> None:
        self.name = name
        self.clock = clock
        self._logger = logger
        self._on_change = tuple(on_change)
        self._policy = policy
        self._window = Window(policy.window_seconds)
        self._machine = pybreaker.CircuitBreaker(
            name=name,
            success_threshold=policy.half_open_calls,
            listeners=[_Listener(self._moved)],
        )
        self._permit = 0  # of calls let through since the last change; others came too late
        self._since = 0.0
        self._trials = 0
        self._changes: deque[_Change] = deque()
        self._lock = threading.Lock()
        self._announcing = threading.Lock()

    @property
    def state(self) -> State:
        """The state that the last call left."""
        return cast(State, self._machine.current_state)

    def enter(self, ctx: Context | None) -> tuple[int, float | None]:
        """A permit for one call, and None; or, when it is refused, for how many seconds."""
        permit = self._permit  # read before the state: a late one is worthless, an early one wrong
        if self._machine.current_state == _CLOSED:
            return permit, None
        with self._lock:
            refused_for = self._refused_for(self.clock())
            permit = self._permit
        self.announce(ctx)
        return permit, refused_for

    def leave(self, ctx: Context | None, permit: int, started: float, *, failed: bool) -> None:
        """Learns how a call ended that had this permit."""
        now = self.clock()
        with self._lock:
            if permit == self._permit:
                self._learn(now, failed, now - started >= self._policy.slow_call_seconds)
        if self._changes:
            self.announce(ctx)

    def forget(self, permit: int) -> None:
        """Takes a permit back: its call was broken off and says nothing of the downstream."""
        with self._lock:
            if permit == self._permit:
                self._trials -= 1

    def adopt(self, policy: Policy) -> None:
        """Goes on under another policy, in the same state and with what it remembers.

        It may close: when fewer trials are asked for than have succeeded. ``announce`` tells it.
        """
        with self._lock:
            self._policy = policy
            if policy.window_seconds != self._window.seconds:
                self._window = self._window.resized(policy.window_seconds, self.clock())
            machine = self._machine
            machine.success_threshold = policy.half_open_calls
            if machine.success_counter >= policy.half_open_calls:  # above 0 only when half-open
                machine.close()

    def announce(self, ctx: Context | None) -> None:
        """Reports changes in their order; no lock is held that a callback could be caught in."""
        while self._changes and self._announcing.acquire(blocking=False):
            try:
                while self._changes:
                    self._report(ctx, self._changes.popleft())
            finally:
                self._announcing.release()

    def _moved(self, old: str, new: str) -> None:
        window = self._window
        if old != new:
            counts = (window.calls, window.failures, window.slow)
            self._changes.append(_Change(old, new, *counts))
        window.clear()
        self._permit += 1
        self._since = self.clock()
        self._trials = 0

    def _refused_for(self, now: float) -> float | None:
        if self._machine.current_state == _CLOSED:  # since we looked
            return None
        waited = now - self._since
        # A clock that went back must not refuse for longer. Trials that never ended, in a Lambda
        # frozen for good or behind a call that hangs, must not refuse for ever: they are repeated.
        if not 0 <= waited < self._policy.open_seconds:
            self._machine.half_open()
        opened = self._machine.current_state == _OPEN
        if opened or self._trials >= self._policy.half_open_calls:
            return max(0.0, self._since + self._policy.open_seconds - now)
        self._trials += 1
        return None

    def _learn(self, now: float, failed: bool, slow: bool) -> None:
        if self._machine.current_state == _CLOSED:
            window = self._window
            window.add(now, failures=failed, slow=slow)
            if (window.failures or window.slow) and self._is_tripped():
                self._machine.open()
        elif failed or slow:
            self._machine.open()
        else:
            self._machine.state.on_success()  # counts it, and closes after the last

    def _is_tripped(self) -> bool:
        policy, window = self._policy, self._window
        if window.failures >= policy.failure_threshold:
            return True
        return window.calls >= policy.minimum_calls and (
            window.failures / window.calls >= policy.failure_rate
            or window.slow / window.calls >= policy.slow_call_rate
        )

    def _report(self, ctx: Context | None, change: _Change) -> None:
        fields = {
            "breaker": self.name,
            "old_state": change.old,
            "new_state": change.new,
            "calls": change.calls,
            "failures": change.failures,
            "slow_calls": change.slow,
            **({"trace_id": ctx.trace_id} if ctx else {}),
        }
        level = logging.WARNING if change.new == _OPEN else logging.INFO
        self._logger.log(level, "breaker changed its state", extra=fields)
        for callback in self._on_change:
            try:
                callback(self.name, change.old, change.new)
            except Exception:  # the caller's code; the guarded call must not suffer
                self._logger.exception("breaker callback failed", extra={"breaker": self.name})
