"""What operators see of the circuit breakers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.models import BreakerChange

_SHOWN_CHANGES = 50


class Changes(Protocol):
    """What the breakers of all processes reported."""

    def put(self, changes: Sequence[BreakerChange]) -> None: ...
    def latest(self, name: str, limit: int) -> Sequence[BreakerChange]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReport:
    """A breaker: its state in this process, its policy, and the latest changes of all processes."""

    name: str
    state: str
    policy: Mapping[str, Any]
    changes: Sequence[BreakerChange]


class BreakerService:
    """Reports on breakers.

    Args:
        names: Theirs.
        state: That of a breaker in this process.
        policy: The fields of a breaker's policy.
        changes: Of all processes.
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        state: Callable[[str], str],
        policy: Callable[[str], Mapping[str, Any]],
        changes: Changes,
    ) -> None:
        self._names = names
        self._state = state
        self._policy = policy
        self._changes = changes

    def record(self, changes: Sequence[BreakerChange]) -> None:
        """Keeps changes, of any process."""
        self._changes.put(changes)

    def report(self) -> list[BreakerReport]:
        """Every breaker.

        Raises:
            UnavailableError: The store is away.
        """
        return [
            BreakerReport(
                name=name,
                state=self._state(name),
                policy=self._policy(name),
                changes=self._changes.latest(name, _SHOWN_CHANGES),
            )
            for name in self._names
        ]
