"""Search in the conversations that a user may read: a walk back through their logs.

There is no index. A request looks at so much and no more, and says where the next one goes on;
docs/operations.md says how far this carries, and what takes over.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from chalicelib.errors import ConversationNotFoundError, NotMemberError
from chalicelib.models import WORLD, ContentType, ConversationMember, Placed, Segment

BUDGET_BYTES = 2**20  # of a request: 256 read units
_LEAST_BYTES = 2**14  # a query costs some time, however little it finds
_SEGMENTS = 50  # a query
_MEMBERSHIPS = 25
_END = 2**53
_WORD = re.compile(r"\w+")
# Thai, Lao, Burmese, Khmer, Japanese, Chinese: no blanks between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)

Position = tuple[str, int]


class Access(Protocol):
    """Who may read what."""

    def beginning(self, user_id: str, conversation_id: str) -> int: ...
    def readable(self, user_id: str, cursors: Mapping[str, int]) -> Mapping[str, int]: ...


class Log(Protocol):
    """The stored logs."""

    def segments_before(self, conversation_id: str, seq: int, limit: int) -> list[Segment]: ...


class Memberships(Protocol):
    """A user's memberships, in order of the conversations."""

    def page_of_user(
        self, user_id: str, *, after: str, limit: int
    ) -> Sequence[ConversationMember]: ...


class Query:
    """Words that a text must have, each at the beginning of a word, whatever case and accents.

    Where words are written without blanks between them they may stand anywhere.
    """

    def __init__(self, text: str) -> None:
        self._words = [
            re.compile(("" if _UNSPACED.search(word) else r"(?<!\w)") + re.escape(word))
            for word in _WORD.findall(_folded(text))
        ]

    def __bool__(self) -> bool:
        return bool(self._words)

    def fits(self, placed: Placed) -> bool:
        """Whether a message has all of the words, in its content or its attachment's name."""
        body = json.loads(placed.text)
        if body["type"] == ContentType.SYSTEM:
            return False
        text = _folded(f"{body['content']} {(body.get('attachment') or {}).get('name', '')}")
        return all(word.search(text) for word in self._words)


class SearchService:
    """Finds messages."""

    def __init__(
        self,
        *,
        access: Access,
        log: Log,
        memberships: Memberships,
        seen_by: Callable[[str, Sequence[Placed]], Sequence[Placed]],
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self._access = access
        self._log = log
        self._memberships = memberships
        self._seen_by = seen_by
        self._budget = budget_bytes

    def search(
        self,
        user_id: str,
        query: Query,
        *,
        conversation_id: str = "",
        position: Position | None = None,
        limit: int,
    ) -> tuple[list[Placed], Position | None]:
        """Messages that fit: conversation by conversation, in each the newest first.

        Args:
            user_id: Who searches.
            query: What for.
            conversation_id: Only there; else in all of theirs but the world room.
            position: Where the search before ended.
            limit: How many at the most; what is found within the budget may be fewer, or none.

        Returns:
            The messages, and where to go on; None when everything was looked at.

        Raises:
            ConversationNotFoundError, NotMemberError: The user may not read that conversation.
        """
        found: list[Placed] = []
        spent = 0
        for room, start in self._rooms(user_id, conversation_id, position):
            before = position[1] if position and position[0] == room else _END
            while before > start + 1:
                page = self._log.segments_before(room, before, _SEGMENTS)
                texts = [one for part in page for one in reversed(part.messages)]
                spent += max(_LEAST_BYTES, sum(len(one.text) for one in texts))
                readable = [one for one in texts if start < one.seq < before]
                fitting = [one for one in self._seen_by(user_id, readable) if query.fits(one)]
                found += fitting[: limit - len(found)]
                if len(found) == limit:
                    return found, (room, found[-1].seq)
                before = page[-1].first_seq if len(page) == _SEGMENTS else 1
                if spent >= self._budget:
                    return found, (room, before)
        return found, None

    def _rooms(
        self, user_id: str, conversation_id: str, position: Position | None
    ) -> Iterator[Position]:
        """The conversations to go through, each with the number after which it may be read."""
        if conversation_id:
            yield conversation_id, self._access.beginning(user_id, conversation_id)
            return
        after = position[0] if position else ""
        if after:
            with suppress(ConversationNotFoundError, NotMemberError):  # has left meanwhile
                yield after, self._access.beginning(user_id, after)
        while rows := self._memberships.page_of_user(user_id, after=after, limit=_MEMBERSHIPS):
            rooms = {row.conversation_id: 0 for row in rows if row.conversation_id != WORLD}
            yield from self._access.readable(user_id, rooms).items()
            after = rows[-1].conversation_id


def _folded(text: str) -> str:
    """Without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))
