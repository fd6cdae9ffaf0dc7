"""Unread messages that mention somebody: docs/decisions/0013-mentions.md.

Who is mentioned gets a row, everybody one for all of a group. Rows are derived from messages, and
an effect of their delivery: what is noted again, late or beside a recall ends the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.logic.conversations import ConversationView
from chalicelib.models import (
    EVERYBODY,
    Mention,
    Placed,
    direct_members,
    is_group,
    unix_seconds,
)

MENTION_SECONDS = 366 * 86_400  # then an unread mention counts no more


class Mentions(Protocol):
    """The stored mentions; what is void stays so."""

    def add(self, mentions: Sequence[Mention]) -> None: ...
    def void(self, mentions: Sequence[Mention]) -> None: ...
    def between(
        self, user_id: str, ranges: Mapping[str, tuple[int, int]]
    ) -> Mapping[str, tuple[Sequence[Mention], Sequence[Mention]]]: ...


class MentionService:
    """Notes mentions, and counts those that are unread."""

    def __init__(self, mentions: Mentions, clock: Callable[[], float]) -> None:
        self._mentions = mentions
        self._clock = clock

    def note(self, placed: Iterable[Placed]) -> None:
        """Notes who is mentioned; the same messages again change nothing."""
        if found := self._of(placed):
            self._mentions.add(found)

    def forget(self, placed: Iterable[Placed]) -> None:
        """Messages lose their content; to be called before they do, for it names who is meant."""
        if found := self._of(placed):
            self._mentions.void(found)

    def hide(self, user_id: str, placed: Placed) -> None:
        """One user wants to see a message no more."""
        if any(one.user_id in (user_id, EVERYBODY) for one in self._of((placed,))):
            self._mentions.void((self._row(placed, user_id, {}),))

    def unread(self, user_id: str, views: Iterable[ConversationView]) -> dict[str, int]:
        """How many unread messages mention a user, by conversation; only where there are any."""
        ranges = {
            view.head.id: (view.member.read_seq, view.head.last_seq)
            for view in views
            if view.unread_count
        }
        found = self._mentions.between(user_id, ranges)
        counts = {key: self._count(user_id, *rows) for key, rows in found.items()}
        return {key: count for key, count in counts.items() if count}

    def _of(self, placed: Iterable[Placed]) -> list[Mention]:
        return [mention for one in placed for mention in self._in(one)]

    def _in(self, placed: Placed) -> Iterator[Mention]:
        """The mentions of a message: nearly none has any, and is not parsed."""
        if '"mentions"' not in placed.text:
            return
        body = json.loads(placed.text)
        named = set(body.get("mentions", ()))
        if EVERYBODY in named and not is_group(placed.conversation_id):
            named = set(direct_members(placed.conversation_id) or ())
        for user_id in sorted(named - {placed.sender_id}):
            yield self._row(placed, user_id, body)

    def _row(self, placed: Placed, user_id: str, body: Mapping[str, Any]) -> Mention:
        until = self._clock() + MENTION_SECONDS
        expires_at = body.get("expires_at")
        return Mention(
            conversation_id=placed.conversation_id,
            seq=placed.seq,
            user_id=user_id,
            sender_id=placed.sender_id,
            expires_at=min(until, unix_seconds(expires_at)) if expires_at else until,
        )

    def _count(self, user_id: str, own: Sequence[Mention], everybody: Sequence[Mention]) -> int:
        """Of a message that mentions a user and everybody, the user's row decides."""
        now = self._clock()
        stands = {
            one.seq: not one.void
            for one in (*everybody, *own)
            if one.sender_id != user_id and one.expires_at > now
        }
        return sum(stands.values())
