"""The audit log: who of the operators did what, to whom, and what came of it.

An entry is written before the action, so that nothing is done that is not in it, and again with
the result. One that stays ``started`` belongs to a process that died, or whose store went away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import IMError, InternalError
from chalicelib.models import AuditEntry, rfc3339

STARTED, DONE = "started", "done"


class Entries(Protocol):
    """The stored entries, by month (``2026-11``)."""

    def put(self, entry: AuditEntry) -> None: ...
    def page(self, month: str, *, before: str | None, limit: int) -> list[AuditEntry]: ...


class AuditService:
    """Writes the log and reads it.

    Args:
        entries: The table.
        kept_days: How far back it goes.
        clock: Unix seconds.
        new_id: Makes ids.
    """

    def __init__(
        self,
        entries: Entries,
        *,
        kept_days: int,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._entries = entries
        self._kept = timedelta(days=kept_days)
        self._clock = clock
        self._new_id = new_id

    @contextmanager
    def action(
        self, ctx: Context, action: str, target: str = "", **details: str | None
    ) -> Iterator[None]:
        """Logs what is done inside of it.

        Args:
            ctx: Its user is the actor.
            action: What, for example ``ban``.
            target: To whom or what.
            details: What else was said; empty ones are left out. Never a secret.
        """
        entry = AuditEntry(
            id=self._new_id(),
            at=rfc3339(self._clock()),
            actor=ctx.user or "",
            action=action,
            target=target,
            trace_id=ctx.trace_id,
            result=STARTED,
            details={name: value for name, value in details.items() if value},
        )
        self._entries.put(entry)
        try:
            yield
        except Exception as error:
            code = error.code if isinstance(error, IMError) else InternalError.code
            self._entries.put(replace(entry, result=code))
            raise
        self._entries.put(replace(entry, result=DONE))

    def page(self, *, before: str | None, limit: int) -> tuple[list[AuditEntry], str | None]:
        """The entries, the newest first.

        Args:
            before: Where the page before ended.
            limit: How many at the most.

        Returns:
            The entries, and where the next page begins; None at the end.
        """
        now = datetime.fromtimestamp(self._clock(), UTC)
        found: list[AuditEntry] = []
        for month in _months_back(before or f"{now:%Y-%m}", f"{now - self._kept:%Y-%m}"):
            found += self._entries.page(month, before=before, limit=limit - len(found))
            if len(found) == limit:
                return found, place(found[-1])
        return found, None


def place(entry: AuditEntry) -> str:
    """Where an entry stands: two may have the same time."""
    return f"{entry.at}#{entry.id}"


def _months_back(first: str, last: str) -> Iterator[str]:
    year, month = int(first[:4]), int(first[5:7])
    while (text := f"{year:04d}-{month:02d}") >= last:
        yield text
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
