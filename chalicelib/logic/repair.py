"""Compares what is derived from the logs with the logs, and derives it again.

Heads and places are read before the log that they are compared with: whoever writes meanwhile
makes the log longer, which is no contradiction. docs/operations/recovery.md says when to use it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from chalicelib.logic.log import SEAL_AT, Tail
from chalicelib.models import (
    MAX_INLINE_BYTES,
    ConversationMember,
    ConversationType,
    Head,
    RetentionMark,
    Segment,
    conversation_type,
    rfc3339,
)

DEDUPLICATION_SECONDS = 7 * 86_400  # as long as a repeated `client_msg_id` is known
_PAGE = 100
_SEGMENTS = 20  # a page: of at most 200 KB each
_DIGEST_BYTES = 8


class Heads(Protocol):
    """The stored heads."""

    def sweep(self, start: str | None, limit: int) -> tuple[list[RetentionMark], str | None]: ...
    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...
    def restore(self, head: Head, seen: Head | None) -> bool: ...


class Log(Protocol):
    """The stored logs."""

    def conversations(self) -> Iterator[str]: ...
    def segments_from(self, conversation_id: str, seq: int, limit: int) -> list[Segment]: ...
    def blocks(self, conversation_id: str) -> list[tuple[int, bytes]]: ...
    def seal(self, conversation_id: str, last_seq: int, digests: Sequence[bytes]) -> Any: ...
    def put_blocks(self, blocks: Sequence[Any]) -> None: ...


class Places(Protocol):
    """The stored places of members."""

    def page(
        self, conversation_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ConversationMember], str | None]: ...
    def replace(self, old: ConversationMember, new: ConversationMember) -> bool: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that contradicts a log, or that was put right."""

    conversation_id: str
    text: str


@dataclass(slots=True)
class _Replayed:
    """What a log says, from its first message to its last."""

    tail: Tail
    at_head: Head | None  # as the stored head should be
    holes: list[str] = field(default_factory=list)
    own: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def own_between(self, user_id: str, after: int, last: int) -> int:
        seqs = self.own.get(user_id, [])
        return max(0, bisect_right(seqs, last) - bisect_right(seqs, after))

    def place(self, row: ConversationMember) -> ConversationMember:
        """A member's row as it should be: docs/decisions/0003-unread-counts.md."""
        end = self.tail.last_seq
        read, own_seq = min(row.read_seq, end), min(row.own_seq, end)
        if self.tail.type is ConversationType.DIRECT:
            own = self.own_between(row.user_id, 0, read)
        else:
            own = self.own_between(row.user_id, read, own_seq)
        delivered = min(row.delivered_seq, end)
        return replace(row, read_seq=read, delivered_seq=delivered, own=own, own_seq=own_seq)


class RepairService:
    """Goes through every conversation; an operator's tool, which reads whole tables."""

    def __init__(
        self, *, heads: Heads, log: Log, places: Places, clock: Callable[[], float]
    ) -> None:
        self._heads = heads
        self._log = log
        self._places = places
        self._clock = clock

    def check(self) -> Iterator[Finding]:
        """Holes in logs, and heads and places that contradict them."""
        for conversation_id in self._conversations():
            head = self._heads.get_conversations((conversation_id,)).get(conversation_id)
            rows = list(self._rows(conversation_id))
            replayed = self._replay(conversation_id, head)
            problems = [*replayed.holes, *_head_problems(head, replayed)]
            problems += [text for row in rows if (text := _place_problem(row, replayed.place(row)))]
            yield from (Finding(conversation_id, text) for text in problems)

    def rebuild_heads(self) -> Iterator[Finding]:
        """Writes the heads that contradict their logs as the logs have them."""
        for conversation_id in self._conversations():
            head = self._heads.get_conversations((conversation_id,)).get(conversation_id)
            replayed = self._replay(conversation_id, head)
            if replayed.holes:
                yield Finding(conversation_id, "left as it is: its log has a hole")
            elif _head_problems(head, replayed):
                made = self._derive(replayed.tail)
                written = self._heads.restore(made, head)
                text = f"head written, last_seq {made.last_seq}"
                yield Finding(conversation_id, text if written else "somebody else wrote the head")

    def rebuild_places(self) -> Iterator[Finding]:
        """Moves places back that are beyond the end of a log, and counts own messages again."""
        for conversation_id in self._conversations():
            rows = list(self._rows(conversation_id))
            replayed = self._replay(conversation_id, None)
            if replayed.holes:
                yield Finding(conversation_id, "left as it is: its log has a hole")
                continue
            for row in rows:
                right = replayed.place(row)
                if right != row and self._places.replace(row, right):
                    yield Finding(conversation_id, f"place of {row.user_id} written")

    def _conversations(self) -> Iterator[str]:
        """Those with a head, then those whose log alone is there."""
        seen: set[str] = set()
        start: str | None = None
        while True:
            marks, start = self._heads.sweep(start, _PAGE)
            for mark in marks:
                seen.add(mark.conversation_id)
                yield mark.conversation_id
            if start is None:
                break
        for conversation_id in self._log.conversations():
            if conversation_id not in seen:
                seen.add(conversation_id)
                yield conversation_id

    def _rows(self, conversation_id: str) -> Iterator[ConversationMember]:
        start: str | None = None
        while True:
            rows, start = self._places.page(conversation_id, start=start, limit=_PAGE)
            yield from rows
            if start is None:
                return

    def _replay(self, conversation_id: str, head: Head | None) -> _Replayed:
        kind = head.type if head else conversation_type(conversation_id)
        tail = Tail.of(Head(id=conversation_id, type=kind))
        found = _Replayed(tail, tail.head() if head and not head.last_seq else None)
        for segment in self._segments(conversation_id):
            seqs = [message.seq for message in segment.messages]
            expected = tail.last_seq + 1
            if seqs != list(range(expected, expected + len(seqs))):
                found.holes.append(f"log: expected {expected}, found {seqs[0]} to {seqs[-1]}")
            try:
                tail.advance(segment)
            except ValueError:
                text = f"log: an id between {seqs[0]} and {seqs[-1]} is not one of ours"
                found.holes.append(text)
                return found
            for message in segment.messages:
                found.own[message.sender_id].append(message.seq)
            if head and tail.last_seq == head.last_seq:
                found.at_head = tail.head()
        return found

    def _segments(self, conversation_id: str) -> Iterator[Segment]:
        seq = 1
        while page := self._log.segments_from(conversation_id, seq, _SEGMENTS):
            yield from page
            seq = page[-1].first_seq + 1

    def _derive(self, tail: Tail) -> Head:
        """The head at the end of a log; digests that no block has are put into one, or it."""
        blocks = self._log.blocks(tail.conversation_id)
        ends = [first + len(some) // _DIGEST_BYTES - 1 for first, some in blocks]
        sealed = min(max([0, *ends, self._forgotten(tail)]), tail.last_seq)
        recent = tail.recent[sealed:]
        if len(recent) >= SEAL_AT:
            self._log.put_blocks([self._log.seal(tail.conversation_id, tail.last_seq, recent)])
            sealed, recent = tail.last_seq, []
        made = replace(tail.head(), sealed_seq=sealed, digests=b"".join(recent))
        last = made.last if len(made.last) <= MAX_INLINE_BYTES else ""
        return replace(made, last=last)

    def _forgotten(self, tail: Tail) -> int:
        """How far messages are too old to be sent again."""
        cutoff, after = rfc3339(self._clock() - DEDUPLICATION_SECONDS), 0
        for segment in self._segments(tail.conversation_id):
            created = [json.loads(message.text)["created_at"] for message in segment.messages]
            if max(created) >= cutoff:
                break
            after = segment.last_seq
        return after


def _head_problems(head: Head | None, replayed: _Replayed) -> list[str]:
    end, right = replayed.tail.last_seq, replayed.at_head
    if head is None:
        return [f"head: missing, the log ends at {end}"]
    if right is None:
        return [
            f"head: last_seq {head.last_seq} is not the end of a segment; the log ends at {end}"
        ]
    digests = right.digests[head.sealed_seq * _DIGEST_BYTES :]
    pairs = {
        "sent": (dict(head.sent), dict(right.sent)),
        "digests": (head.digests, digests),
        "place in Kafka": ((head.source, head.offset), (right.source, right.offset)),
    }
    return [
        f"head: {name} is not what the log says" for name, (is_, be) in pairs.items() if is_ != be
    ]


def _place_problem(row: ConversationMember, right: ConversationMember) -> str:
    names = ("read_seq", "delivered_seq", "own", "own_seq")
    wrong = [
        f"{name} {getattr(row, name)}, by the log {getattr(right, name)}"
        for name in names
        if getattr(row, name) != getattr(right, name)
    ]
    return f"place of {row.user_id}: {'; '.join(wrong)}" if wrong else ""
