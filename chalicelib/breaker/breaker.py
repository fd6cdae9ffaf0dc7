"""What guards one downstream."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from chalicelib.breaker.circuit import Circuit, State
from chalicelib.context import Context

T = TypeVar("T")


class BreakerOpenError(Exception):
    """The downstream has been failing: it was not called.

    Attributes:
        name: The breaker's name.
        retry_after: Seconds until a call may go through again.
    """

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(name, retry_after)
        self.name = name
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"breaker {self.name} is open: retry after {self.retry_after:.1f} s"


class Breaker:
    """Guards calls of one downstream; safe to use from several threads. A Provider makes them."""

    __slots__ = ("_circuit", "_ignore", "_logger")

    def __init__(
        self, circuit: Circuit, ignore: Callable[[Exception], bool], logger: logging.Logger
    ) -> None:
        self._circuit = circuit
        self._ignore = ignore
        self._logger = logger

    @property
    def name(self) -> str:
        """The name it has at its Provider."""
        return self._circuit.name

    @property
    def state(self) -> State:
        """``closed``, ``open`` or ``half-open``, as the last call left it."""
        return self._circuit.state

    def do(self, ctx: Context | None, fn: Callable[[], T]) -> T:
        """Calls ``fn`` and returns its result, or raises what it raises.

        Any number of calls run at the same time: none waits for another.

        Args:
            ctx: Its trace is in the log line if this call changes the state.
            fn: The guarded call.

        Raises:
            BreakerOpenError: The breaker is open, or all its trials are under way.
        """
        circuit = self._circuit
        permit, refused_for = circuit.enter(ctx)
        if refused_for is not None:
            raise BreakerOpenError(circuit.name, refused_for)
        started = circuit.clock()
        try:
            result = fn()
        except Exception as error:
            circuit.leave(ctx, permit, started, failed=self._counts(error))
            raise
        except BaseException:
            circuit.forget(permit)
            raise
        circuit.leave(ctx, permit, started, failed=False)
        return result

    def _counts(self, error: Exception) -> bool:
        try:
            return not self._ignore(error)
        except Exception:  # the caller's code; it must not hide the error that it judges
            self._logger.exception("breaker predicate failed", extra={"breaker": self.name})
            return True
