"""Fakes at the ports of what operators do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.audit import AuditService, place
from chalicelib.logic.broadcasts import NoticeChunk
from chalicelib.models import AuditEntry, Ban, DeadLetter, Notice
from tests.fakes_accounts import Clock

KEPT_DAYS = 400


class FakeBans:
    """Bans in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rows: dict[str, Ban] = {}

    def put(self, ban: Ban) -> None:
        self.rows[ban.user_id] = ban

    def get(self, user_id: str) -> Ban | None:
        ban = self.rows.get(user_id)
        return ban if ban and ban.holds(self._clock()) else None

    def delete(self, user_id: str) -> None:
        self.rows.pop(user_id, None)

    def page(
        self, *, after: dict[str, Any] | None, limit: int
    ) -> tuple[list[Ban], dict[str, Any] | None]:
        newest = sorted(self.rows.values(), key=lambda one: one.banned_at, reverse=True)
        start = after["start"] if after else 0
        found = [one for one in newest[start : start + limit] if one.holds(self._clock())]
        return found, {"start": start + limit} if len(newest) > start + limit else None


class FakeEntries:
    """The audit log in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, AuditEntry] = {}
        self.is_away = False

    def put(self, entry: AuditEntry) -> None:
        if self.is_away:
            raise UnavailableError("away")
        self.rows[place(entry)] = entry

    def page(self, month: str, *, before: str | None, limit: int) -> list[AuditEntry]:
        wanted = [
            key
            for key in sorted(self.rows, reverse=True)
            if key[:7] == month and (before is None or key < before)
        ]
        return [self.rows[key] for key in wanted[:limit]]


class FakeLetters:
    """Dead letters in memory."""

    def __init__(self, *letters: DeadLetter) -> None:
        self.rows = {one.id: one for one in letters}

    def page(
        self, topic: str, *, after: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None]:
        here = [one for one in self.rows.values() if one.topic == topic]
        here.sort(key=lambda one: (one.partition, one.offset, one.listener))
        start = [one.id for one in here].index(after) + 1 if after else 0
        found = here[start : start + limit]
        return found, found[-1].id if len(here) > start + limit else None

    def get(self, letter_id: str) -> DeadLetter | None:
        return self.rows.get(letter_id)

    def delete(self, letter_id: str) -> None:
        self.rows.pop(letter_id, None)


class FakeOutbox:
    """What was enqueued, unless Kafka is away."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.chunks: list[NoticeChunk] = []
        self.later: list[NoticeChunk] = []
        self.resent: list[DeadLetter] = []
        self.is_away = False

    def broadcast(self, _ctx: Context, notice: Notice) -> None:
        self._check()
        self.notices.append(notice)

    def push_notice(self, chunks: Iterable[NoticeChunk]) -> None:
        self._check()
        self.chunks.extend(chunks)

    def push_notice_later(self, chunk: NoticeChunk) -> None:
        self.later.append(chunk)

    def resend(self, _ctx: Context, letter: DeadLetter) -> None:
        self._check()
        self.resent.append(letter)

    def _check(self) -> None:
        if self.is_away:
            raise UnavailableError("Kafka did not confirm in time")


def new_audit(entries: FakeEntries, clock: Clock) -> AuditService:
    """An audit log in memory, whose ids are numbers."""
    return AuditService(
        entries, kept_days=KEPT_DAYS, clock=clock, new_id=lambda: f"e{len(entries.rows):06d}"
    )


def letter(topic: str = "TASKS", offset: int = 0, **members: Any) -> DeadLetter:
    """A dead letter of partition 3."""
    given = {
        "error": "PoisonError",
        "name": "drain",
        "key": "bob",
        "args": '{"id":"c1"}',
        "trace_id": "abc",
        **members,
    }
    return DeadLetter(topic=topic, partition=3, offset=offset, parked_at=1.5, **given)
