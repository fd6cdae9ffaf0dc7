"""Carrying out accepted changes: each may come late, again, or beside another one.

What was accepted while a store is away waits in Kafka, and is carried out when it is back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import UnavailableError
from chalicelib.logic.overlay import edited, overlaid, reacted
from chalicelib.models import (
    Change,
    Changed,
    ChangeKind,
    OwnMarks,
    Placed,
    Segment,
    is_tombstone,
    rfc3339,
)

logger = logging.getLogger(__name__)

_ATTEMPTS = 10  # one conversation's changes come one after the other: others are seldom faster


class Log(Protocol):
    """The stored logs."""

    def containing(self, conversation_id: str, seq: int) -> Segment | None: ...
    def blank(self, segment: Segment, seqs: Collection[int], mark: Mapping[str, Any]) -> bool: ...
    def mark_changed(self, segment: Segment) -> None: ...


class Heads(Protocol):
    """The stored heads."""

    def mark_changed(self, conversation_id: str, seq: int, *, blanked: bool = False) -> None: ...


class Changes(Protocol):
    """What became of messages."""

    def get(self, conversation_id: str, seq: int, user_id: str) -> tuple[Changed, OwnMarks]: ...
    def put(self, new: Changed, marks: OwnMarks | None = None) -> bool: ...
    def forget(self, conversation_id: str, seqs: Iterable[int]) -> None: ...


class ChangeWriter:
    """Changes messages; everybody sees it when they read them again."""

    def __init__(
        self,
        *,
        log: Log,
        heads: Heads,
        changes: Changes,
        forget_derived: Callable[[Iterable[Placed]], None],
        push: Callable[[Sequence[Placed]], None],
        clock: Callable[[], float],
    ) -> None:
        self._log = log
        self._heads = heads
        self._changes = changes
        self._forget_derived = forget_derived
        self._push = push
        self._clock = clock

    def apply(self, changes: Iterable[Change]) -> list[Change]:
        """Applies a batch, in order, and pushes each message once, as it is then.

        Returns:
            Those that were carried out, now or before; not what came for a message that is gone.

        Raises:
            UnavailableError: A store is away; the same batch must come again.
        """
        groups: dict[tuple[str, int], list[Change]] = {}
        for change in changes:
            groups.setdefault((change.conversation_id, change.seq), []).append(change)
        updated = [self._one_message(*key, group) for key, group in groups.items()]
        self._push([one for one in updated if one is not None])
        return [
            change
            for placed, group in zip(updated, groups.values(), strict=True)
            for change in _carried_out(placed, group)
        ]

    def _one_message(
        self, conversation_id: str, seq: int, changes: Sequence[Change]
    ) -> Placed | None:
        """The message as it is after some changes; None where nobody needs to be told."""
        segment = self._log.containing(conversation_id, seq)
        if segment is None:
            logger.error("no such message", extra={"conversation_id": conversation_id, "seq": seq})
            return None
        if any(one.kind is ChangeKind.RECALL for one in changes):
            return self._blank(segment, seq, {"recalled": True})
        placed = _message(segment, seq)
        body = json.loads(placed.text)
        now = rfc3339(self._clock())
        if any(one.kind is ChangeKind.EXPIRE for one in changes):
            self._blank(segment, seq, {"expires_at": body.get("expires_at", now)})
            return None  # its receivers know the time
        if is_tombstone(body):
            return placed
        states = [self._write(change) for change in changes]
        self._log.mark_changed(segment)
        self._heads.mark_changed(conversation_id, seq)
        return overlaid(placed, states[-1], None, now)

    def _write(self, change: Change) -> Changed:
        """Writes an edit or reaction, unless a newer one stands."""
        for _ in range(_ATTEMPTS):
            state, marks = self._changes.get(change.conversation_id, change.seq, change.user_id)
            if change.kind is ChangeKind.EDIT:
                after = edited(state, change)
                if after is None:
                    return state
                if self._changes.put(after):
                    return after
            else:
                both = reacted(state, marks, change)
                if both is None:
                    return state
                if self._changes.put(*both):
                    return both[0]
        raise UnavailableError("others keep changing this message")

    def _blank(self, segment: Segment, seq: int, mark: Mapping[str, Any]) -> Placed:
        """Takes the content away for good: from the log, the edits and the head."""
        room = segment.conversation_id
        self._forget_derived((_message(segment, seq),))
        for _ in range(_ATTEMPTS):
            self._changes.forget(room, (seq,))
            if self._log.blank(segment, (seq,), mark):
                self._heads.mark_changed(room, seq, blanked=True)
                return _message(self._read(room, seq), seq)
            segment = self._read(room, seq)
        raise UnavailableError("others keep blanking this segment")

    def _read(self, conversation_id: str, seq: int) -> Segment:
        segment = self._log.containing(conversation_id, seq)
        if segment is None:
            raise UnavailableError("a message that was there is not found")
        return segment


def _message(segment: Segment, seq: int) -> Placed:
    return next(one for one in segment.messages if one.seq == seq)


def _carried_out(placed: Placed | None, changes: Sequence[Change]) -> Sequence[Change]:
    recalls = [one for one in changes if one.kind is ChangeKind.RECALL]
    if placed is None or recalls:
        return recalls if placed else ()
    return () if is_tombstone(json.loads(placed.text)) else changes
