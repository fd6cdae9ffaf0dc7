"""Where conversations end now: the stored head, and what the log has after it.

The head is a checkpoint, written every few messages (docs/decisions/0005-heads-are-checkpoints.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.logic.log import Tail
from chalicelib.models import WORLD, ConversationType, Head, Segment


class StoredHeads(Protocol):
    """The stored heads."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class Log(Protocol):
    """The stored logs."""

    def read_on(self, after: Mapping[str, int]) -> Mapping[str, list[Segment]]: ...


class CurrentHeads:
    """Heads as they would be if they were written with every message."""

    def __init__(self, stored: StoredHeads, log: Log) -> None:
        self._stored = stored
        self._log = log

    def get_conversations(self, ids: Sequence[str]) -> dict[str, Head]:
        """The heads of the conversations that exist, exact at the moment of reading."""
        stored = self._stored.get_conversations(ids)
        after = {key: stored[key].last_seq if key in stored else 0 for key in dict.fromkeys(ids)}
        segments = self._log.read_on(after)
        found = {}
        for key in after:
            if key in stored or segments[key]:
                head = stored.get(key) or Head(id=key, type=_type(key))
                found[key] = _caught_up(head, segments[key])
        return found


def _caught_up(head: Head, segments: Sequence[Segment]) -> Head:
    if not segments:
        return head
    tail = Tail.of(head)
    for segment in segments:
        tail.advance(segment)
    return tail.head()


def _type(conversation_id: str) -> ConversationType:
    """Of a conversation whose head was never written: groups begin with one."""
    return ConversationType.WORLD if conversation_id == WORLD else ConversationType.DIRECT
