"""How many messages there were: counted from events, each once however often it comes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chalicelib.errors import UnavailableError
from chalicelib.models import DayCount

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessages:
    """Messages of one conversation that were stored together.

    Attributes:
        day: When, as ``2026-11-21`` in UTC.
        source: The partition of the event, ``EVENTS-3``.
        offset: Its place there.
        type: Of the conversation.
        count: How many.
    """

    day: str
    source: str
    offset: int
    type: str
    count: int


class Counts(Protocol):
    """The stored counts."""

    def get(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], DayCount]: ...
    def of_day(self, day: str) -> Sequence[DayCount]: ...
    def replace(self, old: DayCount, new: DayCount) -> bool: ...


class StatisticsService:
    """Counts messages by day and type of conversation."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def count(self, stored: Sequence[StoredMessages]) -> None:
        """Counts what was not counted yet: events at or below the stored offset were.

        Raises:
            UnavailableError: The store is away.
        """
        pending: dict[tuple[str, str], list[StoredMessages]] = defaultdict(list)
        for one in stored:
            pending[one.day, one.source].append(one)
        for _ in range(_ATTEMPTS):
            found = self._counts.get(pending)
            for key, group in list(pending.items()):
                old = found.get(key) or DayCount(day=key[0], source=key[1])
                if self._add(old, group):
                    del pending[key]
            if not pending:
                return
        raise UnavailableError("the statistics are contended without end")

    def of_day(self, day: str) -> dict[str, int]:
        """How many messages a day had, by type of conversation."""
        total: Counter[str] = Counter()
        for one in self._counts.of_day(day):
            total.update(one.messages)
        return dict(sorted(total.items()))

    def _add(self, old: DayCount, group: Sequence[StoredMessages]) -> bool:
        new = [one for one in group if one.offset > old.offset]
        if not new:
            return True
        messages = Counter(old.messages)
        for one in new:
            messages[one.type] += one.count
        offset = max(one.offset for one in new)
        return self._counts.replace(old, replace(old, offset=offset, messages=messages))
