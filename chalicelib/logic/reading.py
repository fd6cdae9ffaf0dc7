"""Messages as a user sees them: the log, with what became of its messages since.

A plain page costs no call more: its segments say whether there is something to look for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import MessageNotFoundError
from chalicelib.logic.overlay import overlaid
from chalicelib.models import Changed, OwnMarks, Placed, rfc3339


class Log(Protocol):
    """The stored logs."""

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...
    def before(self, conversation_id: str, seq: int | None, limit: int) -> list[Placed]: ...
    def at(self, conversation_id: str, seqs: Iterable[int]) -> Mapping[int, Placed]: ...


class Changes(Protocol):
    """What became of messages, for everybody and for one user."""

    def between(
        self, conversation_id: str, user_id: str, first: int, last: int
    ) -> tuple[Mapping[int, Changed], Mapping[int, OwnMarks]]: ...


class MessageReader:
    """Reads the logs; who asks must be allowed to."""

    def __init__(self, log: Log, changes: Changes, clock: Callable[[], float]) -> None:
        self._log = log
        self._changes = changes
        self._clock = clock

    def after(self, user_id: str, conversation_id: str, seq: int, limit: int) -> list[Placed]:
        """Up to ``limit`` messages after ``seq``, oldest first."""
        return self.seen_by(user_id, self._log.after(conversation_id, seq, limit))

    def before(
        self, user_id: str, conversation_id: str, seq: int | None, limit: int
    ) -> list[Placed]:
        """Up to ``limit`` messages before ``seq`` (None: the newest), the nearest first."""
        return self.seen_by(user_id, self._log.before(conversation_id, seq, limit))

    def at(self, user_id: str, conversation_id: str, seqs: Iterable[int]) -> dict[int, Placed]:
        """The messages with these numbers that exist."""
        found = self._log.at(conversation_id, seqs)
        return {one.seq: one for one in self.seen_by(user_id, list(found.values()))}

    def seen_by(self, user_id: str, placed: Sequence[Placed]) -> list[Placed]:
        """Messages as they are now for a user, in the same order."""
        rooms: dict[str, list[int]] = defaultdict(list)
        for one in placed:
            if one.changed:
                rooms[one.conversation_id].append(one.seq)
        if not rooms and not any(_may_expire(one) for one in placed):
            return list(placed)
        states: dict[tuple[str, int], Changed] = {}
        marks: dict[tuple[str, int], OwnMarks] = {}
        for room, seqs in rooms.items():
            for_all, own = self._changes.between(room, user_id, min(seqs), max(seqs))
            states |= {(room, seq): one for seq, one in for_all.items()}
            marks |= {(room, seq): one for seq, one in own.items()}
        now = rfc3339(self._clock())
        return [
            overlaid(one, states.get(key), marks.get(key), now)
            if one.changed or _may_expire(one)
            else one
            for one in placed
            for key in ((one.conversation_id, one.seq),)
        ]


class Beginnings(Protocol):
    """From where on somebody may read."""

    def beginning(self, user_id: str, conversation_id: str) -> int: ...


class ReadableMessages:
    """Single messages, of those that a user may read."""

    def __init__(self, access: Beginnings, reader: MessageReader) -> None:
        self._access = access
        self._reader = reader

    def some(self, user_id: str, conversation_id: str, seqs: Iterable[int]) -> dict[int, Placed]:
        """Those with these numbers.

        Raises:
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        start = self._access.beginning(user_id, conversation_id)
        return self._reader.at(user_id, conversation_id, (one for one in seqs if one > start))

    def one(self, user_id: str, conversation_id: str, seq: int) -> dict[str, Any]:
        """The body of one, which may be a tombstone.

        Raises:
            MessageNotFoundError: There is none.
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        found = self.some(user_id, conversation_id, (seq,))
        if seq not in found:
            raise MessageNotFoundError
        body: dict[str, Any] = json.loads(found[seq].text)
        return body


def _may_expire(placed: Placed) -> bool:
    """A text that has the name for another reason is only looked at more closely."""
    return '"expires_at"' in placed.text
