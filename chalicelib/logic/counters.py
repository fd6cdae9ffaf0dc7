"""How the system is doing, in numbers, for operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from chalicelib.logic.breakers import BreakerReport

RECENT_SECONDS = 3600.0  # a process that died never says that its breaker is closed again


class Totals(Protocol):
    """What the tables hold."""

    def accounts(self) -> int: ...
    def connections(self) -> int: ...
    def dead_letters(self, topic: str) -> tuple[int, bool]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The numbers.

    Attributes:
        accounts: About how many were ever made.
        connections: Live ones.
        messages: By day, the newest first, and type of conversation.
        dead_letters: By topic, and whether these are all.
        open_breakers: In which processes each breaker was open when last heard of.
    """

    accounts: int
    connections: int
    messages: Mapping[str, Mapping[str, int]]
    dead_letters: Mapping[str, tuple[int, bool]]
    open_breakers: Mapping[str, Sequence[str]]


class CountersService:
    """Reads the numbers, each where it is cheap."""

    def __init__(
        self,
        *,
        totals: Totals,
        messages_of_day: Callable[[str], Mapping[str, int]],
        breakers: Callable[[], Sequence[BreakerReport]],
        topics: Sequence[str],
        clock: Callable[[], float],
    ) -> None:
        self._totals = totals
        self._messages_of_day = messages_of_day
        self._breakers = breakers
        self._topics = topics
        self._clock = clock

    def read(self, days: int) -> Counters:
        """The numbers as they are now.

        Args:
            days: Of how many days messages are counted, today's among them.

        Raises:
            UnavailableError: The store is away.
        """
        today = datetime.fromtimestamp(self._clock(), UTC).date()
        shown = [(today - timedelta(days=back)).isoformat() for back in range(days)]
        return Counters(
            accounts=self._totals.accounts(),
            connections=self._totals.connections(),
            messages={day: self._messages_of_day(day) for day in shown},
            dead_letters={topic: self._totals.dead_letters(topic) for topic in self._topics},
            open_breakers={
                report.name: processes
                for report in self._breakers()
                if (processes := self._open_in(report))
            },
        )

    def _open_in(self, report: BreakerReport) -> list[str]:
        latest = {}
        for change in sorted(report.changes, key=lambda one: one.at):
            if change.at > self._clock() - RECENT_SECONDS:
                latest[change.process] = change.new_state
        return sorted(process for process, state in latest.items() if state != "closed")
