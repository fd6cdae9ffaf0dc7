"""Records that could not succeed: listed, and sent again once their cause is mended.

A replayed record goes to the end of its key's partition: what has come since stands before it.
Of several with one key the order is kept by whoever replays them in the order of their places,
which is that of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import ConflictError, NotFoundError
from chalicelib.logic.audit import AuditService
from chalicelib.models import DeadLetter

Position = tuple[str, str | None]  # topic, and the place after which its list goes on


class Letters(Protocol):
    """The stored dead letters, by topic in order of partition and offset."""

    def page(
        self, topic: str, *, after: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None]: ...
    def get(self, letter_id: str) -> DeadLetter | None: ...
    def delete(self, letter_id: str) -> None: ...


class DeadLetterService:
    """Lists and replays dead letters (requirement APP-14)."""

    def __init__(
        self,
        letters: Letters,
        *,
        topics: Sequence[str],
        resend: Callable[[Context, DeadLetter], None],
        audit: AuditService,
    ) -> None:
        self._letters = letters
        self._topics = topics
        self._resend = resend
        self._audit = audit

    def page(
        self, ctx: Context, *, after: Position | None, limit: int
    ) -> tuple[list[DeadLetter], Position | None]:
        """Some dead letters, topic by topic in order of their places.

        They hold what people wrote, so that reading them is in the audit log too.

        Returns:
            The letters, fewer than ``limit`` where they are large, and where the next page begins;
            None at the end.
        """
        topic, place = after or (self._topics[0], None)
        found: list[DeadLetter] = []
        with self._audit.action(ctx, "dead-letters.read"):
            for name in self._topics[self._topics.index(topic) :]:
                if len(found) == limit:
                    return found, (name, None)
                letters, place = self._letters.page(name, after=place, limit=limit - len(found))
                found += letters
                if place is not None:
                    return found, (name, place)
        return found, None

    def replay(self, ctx: Context, letter_id: str) -> DeadLetter:
        """Sends a record to its topic again, and forgets it once Kafka has it.

        Commands may be repeated, so of a crash in between, or of two replays at once, nothing
        comes but the work being done again.

        Raises:
            NotFoundError: There is no such letter.
            ConflictError: Not all of the record was kept.
        """
        with self._audit.action(ctx, "replay", letter_id):
            letter = self._letters.get(letter_id)
            if letter is None:
                raise NotFoundError(f"there is no dead letter {letter_id}")
            if letter.lost:
                sizes = (f"{name} of {letter.truncated[name]} bytes" for name in letter.lost)
                raise ConflictError(f"cannot be replayed, for it was cut: {', '.join(sizes)}")
            self._resend(ctx, letter)
            self._letters.delete(letter_id)
        return letter
