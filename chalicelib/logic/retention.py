"""Messages that are older than the policy allows lose their content and keep their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chalicelib.logic.policies import RetentionPolicy
from chalicelib.models import Placed, RetentionMark, Segment, rfc3339

SWEEP = "retention"
_CONVERSATIONS = 100  # a page: 100 heads of at most 1 KB are 13 read units
_SEGMENTS = 20  # a page: of at most 200 KB each
_DAY_SECONDS = 86_400


class Heads(Protocol):
    """The stored conversations, page by page."""

    def sweep(self, start: str | None, limit: int) -> tuple[list[RetentionMark], str | None]: ...
    def mark_kept(self, mark: RetentionMark) -> None: ...


class Log(Protocol):
    """The stored logs."""

    def segments_from(self, conversation_id: str, seq: int, limit: int) -> list[Segment]: ...
    def blank(self, segment: Segment, seqs: Container[int], mark: Mapping[str, str]) -> bool: ...


class Progress(Protocol):
    """How far the sweep has come."""

    def position(self, name: str) -> str | None: ...
    def move(self, name: str, old: str | None, new: str | None) -> bool: ...


@dataclass(frozen=True, slots=True)
class Swept:
    """What a run did: segments that were looked through, and whether it came to the end."""

    segments: int = 0
    finished: bool = True


class RetentionService:
    """Goes through all conversations, a bit further in each run.

    Every step may be repeated: a run that dies, or a second one beside it, does nothing worse.
    """

    def __init__(
        self,
        *,
        heads: Heads,
        log: Log,
        forget: Callable[[str, Iterable[int]], None],
        forget_derived: Callable[[Iterable[Placed]], None],
        progress: Progress,
        policy: Callable[[], RetentionPolicy],
        clock: Callable[[], float],
    ) -> None:
        self._heads = heads
        self._log = log
        self._forget = forget
        self._forget_derived = forget_derived
        self._progress = progress
        self._policy = policy
        self._clock = clock

    def sweep(self, until: float) -> Swept:
        """Goes on where the last run stopped, to the end or until a time (Unix seconds).

        Raises:
            UnavailableError: The store or the policy is away; the next run goes on.
        """
        policy = self._policy()
        if policy == RetentionPolicy():
            return Swept()  # everything is kept
        at = self._progress.position(SWEEP)
        segments = 0
        while self._clock() < until:
            marks, following = self._heads.sweep(at, _CONVERSATIONS)
            for mark in marks:
                segments += self._expire(mark, policy.days(mark.conversation_id), until)
            if self._clock() >= until or not self._progress.move(SWEEP, at, following):
                break
            if following is None:
                return Swept(segments)
            at = following
        return Swept(segments, finished=False)

    def _expire(self, mark: RetentionMark, days: int, until: float) -> int:
        """Blanks what is too old in one conversation; how many segments were looked through."""
        started_at = self._clock()
        cutoff = rfc3339(started_at - days * _DAY_SECONDS)
        segments = 0
        while days and mark.since < cutoff and self._clock() < until:
            page = self._log.segments_from(mark.conversation_id, mark.seq, _SEGMENTS)
            mark = self._blank(page, mark, cutoff)
            if len(page) < _SEGMENTS and (not page or mark.seq > page[-1].last_seq):
                mark = replace(mark, since=rfc3339(started_at))  # what comes is younger
            self._heads.mark_kept(mark)
            segments += len(page)
        return segments

    def _blank(self, page: Sequence[Segment], mark: RetentionMark, cutoff: str) -> RetentionMark:
        """Blanks up to the first message that is kept; where to go on."""
        for segment in page:
            created = {one.seq: json.loads(one.text)["created_at"] for one in segment.messages}
            old = {seq for seq, at in created.items() if at < cutoff}
            if segment.changed:
                self._forget(segment.conversation_id, old)
            self._forget_derived(one for one in segment.messages if one.seq in old)
            if not self._log.blank(segment, old, {"expires_at": rfc3339(self._clock())}):
                return replace(mark, seq=segment.first_seq)  # changed meanwhile: once more
            if kept := [at for seq, at in created.items() if seq not in old]:
                return replace(mark, seq=segment.first_seq, since=min(kept))
            mark = replace(mark, seq=segment.last_seq + 1)
        return mark
