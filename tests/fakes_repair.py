"""Fakes at the ports of repairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from chalicelib.models import Head
from tests.fakes import FakeHeads, FakeLog


class FakeLogs(FakeLog):
    """All logs."""

    def conversations(self) -> Iterator[str]:
        return (key for key, stored in self._world.segments.items() for _ in stored)


class FakeStoredHeads(FakeHeads):
    """Heads that can be written back."""

    def restore(self, head: Head, seen: Head | None) -> bool:
        heads: Mapping[str, Head] = self._world.heads
        stored = heads.get(head.id)
        if (stored.last_seq if stored else None) != (seen.last_seq if seen else None):
            return False
        changed_seq = stored.changed_seq if stored else 0
        self._world.heads[head.id] = replace(
            head,
            created_at=stored.created_at if stored else head.updated_at,
            changed_seq=changed_seq,
        )
        return True
