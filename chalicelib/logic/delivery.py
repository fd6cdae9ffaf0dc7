"""From a batch of accepted messages to stored, numbered and delivered ones.

The commit is one conditional put a conversation; everything after it may be repeated, and is,
when the batch is delivered again (docs/decisions/0001-one-writer-log.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.errors import UnavailableError
from chalicelib.logic.log import SEAL_AT, Plan, Submission, Tail, plan, split
from chalicelib.models import MAX_INLINE_BYTES, Head, Placed, Segment

logger = logging.getLogger(__name__)

HEAD_EVERY = 16  # messages; readers read so many after a head at the most, and seldom more
_ATTEMPTS = 20
_MAX_DIGESTS = 100_000  # in memory, of all conversations together: about 100 bytes each


class Log(Protocol):
    """The stored logs."""

    def append(self, segments: Sequence[Segment]) -> list[bool]: ...
    def read_on(self, after: Mapping[str, int]) -> Mapping[str, list[Segment]]: ...
    def containing(self, conversation_id: str, seq: int) -> Segment | None: ...
    def blocks(self, conversation_id: str) -> list[tuple[int, bytes]]: ...
    def seal(self, conversation_id: str, last_seq: int, digests: Sequence[bytes]) -> Any: ...
    def put_blocks(self, blocks: Sequence[Any]) -> None: ...


class Heads(Protocol):
    """The stored heads."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...
    def advance(self, heads: Sequence[Head]) -> list[bool]: ...


class Effects(Protocol):
    """What follows a commit; every one of them may happen again."""

    def push(self, placed: Sequence[Placed]) -> Any: ...
    def leave_pointers(self, pushed: Any) -> None: ...


class DeliveryService:
    """The one writer of the conversations whose records it is given."""

    def __init__(
        self,
        *,
        log: Log,
        heads: Heads,
        count: Callable[[Sequence[Placed]], None],
        effects: Effects,
    ) -> None:
        self._log = log
        self._heads = heads
        self._count = count
        self._effects = effects
        self._tails: dict[str, Tail] = {}
        self._known = 0  # digests in memory, never less than there are

    def deliver(
        self,
        submissions: Iterable[Submission],
        *,
        committed: Callable[[Sequence[Placed]], object] = lambda _: None,
    ) -> list[Placed]:
        """Numbers, stores and delivers a batch.

        Args:
            submissions: The batch, in order.
            committed: Called with the messages when they are stored, before they are pushed.

        Returns:
            The messages that were stored now or by an earlier, unfinished delivery.

        Raises:
            UnavailableError: A store is away; the same batch must be delivered again.
        """
        pending: dict[str, list[Submission]] = {}
        for submission in submissions:
            pending.setdefault(submission.conversation_id, []).append(submission)
        try:
            placed = self._commit_all(pending)
            committed(placed)
            self._count(placed)
            self._effects.leave_pointers(self._effects.push(placed))
            self._advance_heads(dict.fromkeys(one.conversation_id for one in placed))
        except Exception:
            # What was in flight is not known: the next attempt reads the logs anew.
            for conversation_id in pending:
                self._tails.pop(conversation_id, None)
            raise
        self._trim(len(placed))
        return placed

    def _commit_all(self, groups: Mapping[str, list[Submission]]) -> list[Placed]:
        placed: list[Placed] = []
        pending = dict(groups)
        for _ in range(_ATTEMPTS):
            self._load(pending)
            plans = {key: self._plan(self._tails[key], group) for key, group in pending.items()}
            lost = self._append([one for one, _ in plans.values()])
            for key, (new, redelivered) in plans.items():
                if key not in lost:
                    placed.extend(redelivered)
                    placed.extend(one for segment in new.segments for one in segment.messages)
            pending = {key: pending[key] for key in lost}
            if not pending:
                return placed
            for key in lost:
                logger.info("place in the log taken", extra={"conversation_id": key})
                self._tails.pop(key)
        raise UnavailableError("another writer is ahead without end")

    def _load(self, groups: Mapping[str, list[Submission]]) -> None:
        for key in groups.keys() & self._tails.keys():
            self._tails[key] = self._tails.pop(key)  # the one touched last stands last
        missing = [key for key in groups if key not in self._tails]
        if not missing:
            return
        stored = self._heads.get_conversations(missing)
        heads = {key: stored.get(key) or Head(id=key, type=groups[key][0].type) for key in missing}
        segments = self._log.read_on({key: head.last_seq for key, head in heads.items()})
        for key, head in heads.items():
            tail = Tail.of(head, self._sealed(head))
            for segment in segments[key]:
                tail.advance(segment)
            self._tails[key] = tail
            self._known += len(tail.digests)

    def _sealed(self, head: Head) -> list[bytes]:
        """The digests of the blocks without a gap before ``sealed_seq``."""
        digests: list[bytes] = []
        if not head.sealed_seq:
            return digests
        first = 0
        for start, block in self._log.blocks(head.id):
            if not digests or start > first + len(digests):
                first, digests = start, []
            digests[start - first :] = split(block)
        known = head.sealed_seq - first + 1
        return digests[:known] if len(digests) >= known else []

    def _plan(self, tail: Tail, group: Sequence[Submission]) -> tuple[Plan, list[Placed]]:
        """Plans, and confirms what seems to be repeated by reading the messages."""
        first = plan(tail, group)
        redelivered: list[Placed] = []
        distinct: set[str] = set()
        segments: dict[int, Segment | None] = {}
        for seq, body, submission in first.repeated:
            if seq not in segments:
                segment = self._log.containing(tail.conversation_id, seq)
                segments.update(
                    dict.fromkeys((m.seq for m in segment.messages), segment)
                    if segment
                    else {seq: None}
                )
            stored = _find(segments[seq], seq)
            if stored is None or stored.id != body["id"]:
                distinct.add(body["id"])
            elif not tail.is_sent_again(submission):
                redelivered.append(stored)
        return (plan(tail, group, frozenset(distinct)) if distinct else first), redelivered

    def _append(self, plans: Sequence[Plan]) -> set[str]:
        """Commits every plan's segments, each when the one before is in; who lost the place."""
        lost: set[str] = set()
        for at in range(max((len(one.segments) for one in plans), default=0)):
            wave = [
                one.segments[at]
                for one in plans
                if at < len(one.segments) and one.segments[at].conversation_id not in lost
            ]
            for segment, committed in zip(wave, self._log.append(wave), strict=True):
                if committed:
                    self._tails[segment.conversation_id].advance(segment)
                else:
                    lost.add(segment.conversation_id)
        return lost

    def _advance_heads(self, conversation_ids: Iterable[str]) -> None:
        """Writes the heads that are new, or far enough behind their logs."""
        behind = [
            tail
            for tail in map(self._tails.__getitem__, conversation_ids)
            if tail.last_seq > tail.head_seq
            and (tail.head_seq == 0 or tail.last_seq - tail.head_seq >= HEAD_EVERY)
        ]
        self._seal(behind)
        heads = [self._head(tail) for tail in behind]
        for tail, advanced in zip(behind, self._heads.advance(heads), strict=True):
            tail.head_seq = tail.last_seq
            if not advanced:  # another writer is ahead; what it wrote is not in our copy
                del self._tails[tail.conversation_id]

    def _seal(self, tails: Sequence[Tail]) -> None:
        """Moves digests from heads into blocks, before the heads forget them."""
        full = [tail for tail in tails if len(tail.recent) >= SEAL_AT]
        self._log.put_blocks(
            [self._log.seal(tail.conversation_id, tail.last_seq, tail.recent) for tail in full]
        )
        for tail in full:
            tail.sealed_seq, tail.recent = tail.last_seq, []

    def _head(self, tail: Tail) -> Head:
        head = tail.head()
        return head if len(head.last) <= MAX_INLINE_BYTES else replace(head, last="")

    def _trim(self, new: int) -> None:
        """Forgets the conversations that were touched longest ago."""
        self._known += new
        if self._known <= _MAX_DIGESTS:
            return
        self._known = sum(len(tail.digests) for tail in self._tails.values())
        for key in list(self._tails)[:-1]:
            if self._known <= _MAX_DIGESTS // 2:
                break
            self._known -= len(self._tails.pop(key).digests)


def _find(segment: Segment | None, seq: int) -> Placed | None:
    if segment is None:
        return None
    return next((one for one in segment.messages if one.seq == seq), None)
