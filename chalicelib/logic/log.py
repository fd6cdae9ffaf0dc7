"""The pure part of delivery: numbering and de-duplication at the end of a conversation's log.

docs/decisions/0001-one-writer-log.md has the algorithm and why it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.models import ConversationType, Head, Placed, Segment

MAX_SEGMENT_BYTES = 200_000  # an item of DynamoDB holds 400 KB
_DIGEST = 8
SEAL_AT = 64  # digests: 8 bytes each, so the head stays below one write unit of 1 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A ``deliver`` command: messages of one sender, accepted together.

    Attributes:
        source: ``topic-partition`` of its record; with ``offset`` its place in Kafka.
        messages: The messages' bodies as clients will see them, but for ``seq``.
    """

    conversation_id: str
    type: ConversationType
    sender_id: str
    messages: Sequence[Mapping[str, Any]]
    source: str
    offset: int
    trace_id: str = ""


@dataclass(slots=True, kw_only=True)
class Tail:
    """What the writer knows of the end of one conversation's log.

    Attributes:
        head_seq: How far the stored head is; it follows the log a few messages behind.
        sealed_seq: Digests up to here stand in blocks of their own, later ones in the head.
        digests: Every known message's digest and number.
        recent: The digests after ``sealed_seq``, in order of their numbers.
        sent: How many messages each member has sent (direct conversations only).
    """

    conversation_id: str
    type: ConversationType
    last_seq: int = 0
    head_seq: int = 0
    source: str = ""
    offset: int = -1
    sealed_seq: int = 0
    digests: dict[bytes, int] = field(default_factory=dict)
    recent: list[bytes] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    last: Placed | None = None
    stored: Head

    def advance(self, segment: Segment) -> None:
        """Takes in a segment that stands in the log right after what is known."""
        for message in segment.messages:
            key = digest(message.id)
            self.digests[key] = message.seq
            self.recent.append(key)
            if self.type is ConversationType.DIRECT:
                self.sent[message.sender_id] = self.sent.get(message.sender_id, 0) + 1
        self.last_seq = segment.last_seq
        self.last = segment.messages[-1]
        self.source, self.offset = segment.source, segment.last_offset

    @classmethod
    def of(cls, head: Head, sealed: Iterable[bytes] = ()) -> Tail:
        """The end of the log as the stored head has it.

        Args:
            head: The head item.
            sealed: The digests of the blocks, in order, the last one that of ``sealed_seq``.
        """
        recent = list(split(head.digests))
        before = list(sealed)
        tail = cls(
            conversation_id=head.id,
            type=head.type,
            stored=head,
            last_seq=head.last_seq,
            head_seq=head.last_seq,
            source=head.source,
            offset=head.offset,
            sealed_seq=head.sealed_seq,
            recent=recent,
            sent=dict(head.sent),
        )
        first = head.sealed_seq - len(before) + 1
        tail.digests = {key: first + at for at, key in enumerate(before + recent)}
        return tail

    def head(self) -> Head:
        """What the head item would say now."""
        text = self.last.text if self.last else ""
        return replace(
            self.stored,
            last_seq=self.last_seq,
            source=self.source,
            offset=self.offset,
            sealed_seq=self.sealed_seq,
            digests=b"".join(self.recent),
            sent=dict(self.sent),
            last=text or self.stored.last,
            updated_at=json.loads(text)["created_at"] if text else self.stored.updated_at,
        )

    def is_sent_again(self, submission: Submission) -> bool:
        """Whether a known message came with a later record: the client sent it twice.

        Otherwise the record itself was delivered before, and what follows from it may not be done.
        """
        return submission.source == self.source and submission.offset > self.offset


@dataclass(slots=True)
class Plan:
    """What a batch's submissions to one conversation come to.

    Attributes:
        segments: New messages, numbered, in the order in which they are to be committed.
        repeated: Messages that may be stored already: where, and the submission they came with.
    """

    segments: list[Segment] = field(default_factory=list)
    repeated: list[tuple[int, Mapping[str, Any], Submission]] = field(default_factory=list)


def digest(message_id: str) -> bytes:
    """Eight bytes of a message id, which is itself a hash."""
    return bytes.fromhex(message_id[1 : 1 + 2 * _DIGEST])


def plan(
    tail: Tail, submissions: Iterable[Submission], distinct: frozenset[str] = frozenset()
) -> Plan:
    """Numbers what is new and finds what may have been stored before.

    Args:
        tail: The end of the log; not changed.
        submissions: The batch's records for this conversation, in order.
        distinct: Ids whose digest is known but whose message is not: two ids may share a digest.
    """
    result = Plan()
    new: dict[str, Placed] = {}
    builder = _Builder(tail, result.segments)
    for submission in submissions:
        for body in submission.messages:
            known = tail.digests.get(digest(body["id"]))
            if known is not None and body["id"] not in distinct:
                result.repeated.append((known, body, submission))
            elif body["id"] not in new:
                new[body["id"]] = builder.add(body, submission)
    builder.flush()
    return result


class _Builder:
    """Cuts numbered messages into segments."""

    def __init__(self, tail: Tail, segments: list[Segment]) -> None:
        self._tail = tail
        self._segments = segments
        self._seq = tail.last_seq
        self._open: list[Placed] = []
        self._size = 0
        self._source = ""
        self._offsets = (0, 0)

    def add(self, body: Mapping[str, Any], submission: Submission) -> Placed:
        """Numbers one message."""
        text = _with_seq(body, self._seq + 1)
        size = len(text.encode())
        if self._open and (
            self._size + size > MAX_SEGMENT_BYTES or submission.source != self._source
        ):
            self.flush()
        self._seq += 1
        placed = Placed(
            self._tail.conversation_id, self._seq, submission.sender_id, body["id"], text
        )
        first = self._offsets[0] if self._open else submission.offset
        self._source, self._offsets = submission.source, (first, submission.offset)
        self._open.append(placed)
        self._size += size
        return placed

    def flush(self) -> None:
        """Ends the open segment."""
        if not self._open:
            return
        self._segments.append(
            Segment(
                conversation_id=self._tail.conversation_id,
                messages=tuple(self._open),
                source=self._source,
                first_offset=self._offsets[0],
                last_offset=self._offsets[1],
            )
        )
        self._open, self._size = [], 0


def split(digests: bytes) -> Iterable[bytes]:
    """The digests of a block or head."""
    return (digests[at : at + _DIGEST] for at in range(0, len(digests), _DIGEST))


def _with_seq(body: Mapping[str, Any], seq: int) -> str:
    return _dump({**body, "seq": seq})


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
