"""What follows a commit: pushes to the live, pointers for the absent.

Each step may happen again, with the same result.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.frames import message_frames
from chalicelib.logic.audiences import Audience
from chalicelib.logic.large_groups import PushChunk, chunks_of
from chalicelib.models import (
    WORLD,
    Connection,
    ConversationMember,
    Placed,
    PushResult,
    is_group,
)

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30.0  # a connection may not take pushes during its own $connect

Drain = Callable[[Iterable[Connection]], None]


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


class Members(Protocol):
    """The stored places of members."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...


class Offline(Protocol):
    """The stored pointers to missed messages."""

    def get(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]: ...
    def mark(self, pointers: Mapping[tuple[str, str], int]) -> None: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...
    def online(self) -> list[Connection]: ...
    def remove(self, user_id: str, connection_ids: Iterable[str]) -> None: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was pushed to conversations that are not large, and who did not take theirs."""

    messages: Mapping[str, list[Placed]]
    audiences: Mapping[str, Audience]
    live: Mapping[str, list[Connection]]
    missed: frozenset[str]
    away: frozenset[str]  # of these: behind a service that did not answer

    def missed_by(self, user_id: str) -> bool:
        """Whether a user who exists has no connection, or one that did not take everything."""
        if user_id not in self.live:
            return False
        connections = self.live[user_id]
        return not connections or any(one.id in self.missed for one in connections)


class Receivers:
    """Everybody who is to learn of new messages."""

    def __init__(
        self,
        *,
        audiences: Audiences,
        members: Members,
        offline: Offline,
        connections: Connections,
        push: Push,
        drain: Drain,
        drain_later: Drain,
        push_chunks: Callable[[Iterable[PushChunk]], None],
        ended: Callable[[Iterable[str]], None],
        clock: Callable[[], float],
    ) -> None:
        self._audiences = audiences
        self._members = members
        self._offline = offline
        self._connections = connections
        self._push = push
        self._drain = drain
        self._drain_later = drain_later
        self._push_chunks = push_chunks
        self._ended = ended
        self._clock = clock

    def push(self, placed: Sequence[Placed]) -> Pushed:
        """Pushes to every live connection of every member; to large groups others do, in chunks."""
        by_conversation = _in_order(placed)
        world = by_conversation.pop(WORLD, [])
        audiences = self._audiences.of(by_conversation)
        large = {key: by_conversation.pop(key) for key, one in audiences.items() if one.large}
        users = {user for key in by_conversation for user in audiences[key].joined}
        live = self._connections.live(users)
        wanted = _wanted(by_conversation, audiences, live)
        if world:
            for connection in self._connections.online():
                wanted.setdefault(connection.id, (connection, []))[1].append(world)
        missed, away = self._post(wanted)
        self._push_chunks(
            chunk
            for key, messages in large.items()
            for chunk in chunks_of(messages, len(audiences[key].joined))
        )
        return Pushed(by_conversation, audiences, live, missed, away)

    def leave_pointers(self, pushed: Pushed) -> None:
        """Leaves pointers for receivers that no connection was found for."""
        absent = {
            (user_id, key): first
            for key, messages in pushed.messages.items()
            if pushed.audiences[key].gets_pointers
            for user_id, joined in pushed.audiences[key].joined.items()
            if pushed.missed_by(user_id) and (first := _first(messages, user_id, joined))
        }
        if not absent:
            return
        standing = self._offline.get(absent)
        rows = self._members.get((key, user_id) for user_id, key in absent)
        pointers = {}
        for (user_id, key), seq in absent.items():
            row = rows.get((key, user_id))
            if row is None and is_group(key):
                continue  # has left meanwhile
            first = max(seq, row.delivered_seq + 1) if row else seq
            last = pushed.messages[key][-1].seq
            if first <= last and standing.get((user_id, key), first + 1) > first:
                pointers[user_id, key] = first
        self._offline.mark(pointers)
        users = {user_id for user_id, _ in pointers}
        self._drain_the_arrived(users, pushed.live)
        # With a pointer that stood before, its drain is on the way.
        away = [one for user in users for one in pushed.live[user] if one.id in pushed.away]
        if away:
            self._drain_later(away)

    def _post(
        self, wanted: Mapping[str, tuple[Connection, list[Sequence[Placed]]]]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Pushes; the connections that did not take everything, and of these the unanswered."""
        frames: dict[tuple[int, ...], list[str]] = {}
        posts: dict[str, Sequence[str]] = {}
        for connection_id, (_, groups) in wanted.items():
            key = tuple(map(id, groups))  # many connections get the very same messages
            if key not in frames:
                frames[key] = list(message_frames(one.text for group in groups for one in group))
            posts[connection_id] = frames[key]
        results = self._push.post_all(posts)
        self.bury(wanted[key][0] for key, result in results.items() if result is PushResult.GONE)
        missed = frozenset(key for key, one in results.items() if one is not PushResult.SENT)
        return missed, frozenset(key for key in missed if results[key] is PushResult.FAILED)

    def bury(self, gone: Iterable[Connection]) -> None:
        """Removes exactly these connections, but gives those a drain that may be just opening."""
        opening = []
        left = set()
        for connection in gone:
            if self._clock() - connection.connected_at < GRACE_SECONDS:
                opening.append(connection)
            else:
                self._connections.remove(connection.user_id, (connection.id,))
                left.add(connection.user_id)
        if opening:
            self._drain(opening)
        if left:
            self._ended(left)

    def _drain_the_arrived(
        self, user_ids: set[str], before: Mapping[str, list[Connection]]
    ) -> None:
        """Who connected while the pointer was written has read the pointers too early."""
        for user_id, connections in self._connections.live(user_ids).items():
            known = {one.id for one in before[user_id]}
            arrived = [one for one in connections if one.id not in known]
            if arrived:
                self._drain(arrived)


def _in_order(placed: Sequence[Placed]) -> dict[str, list[Placed]]:
    """The messages of each conversation, once each; a redelivery may bring one twice."""
    found: dict[str, dict[int, Placed]] = defaultdict(dict)
    for one in placed:
        found[one.conversation_id][one.seq] = one
    return {key: [group[seq] for seq in sorted(group)] for key, group in found.items()}


def _first(messages: Sequence[Placed], user_id: str, joined: int) -> int | None:
    """The first message of somebody else since a user joined."""
    theirs = (one.seq for one in messages if one.sender_id != user_id and one.seq > joined)
    return next(theirs, None)


def _wanted(
    by_conversation: Mapping[str, Sequence[Placed]],
    audiences: Mapping[str, Audience],
    live: Mapping[str, list[Connection]],
) -> dict[str, tuple[Connection, list[Sequence[Placed]]]]:
    wanted: dict[str, tuple[Connection, list[Sequence[Placed]]]] = {}
    for key, messages in by_conversation.items():
        for user_id, joined in audiences[key].joined.items():
            seen = messages  # the very same for nearly everybody: `_post` relies on it
            if joined >= messages[0].seq:
                seen = [one for one in messages if one.seq > joined]
            for connection in live.get(user_id, ()) if seen else ():
                wanted.setdefault(connection.id, (connection, []))[1].append(seen)
    return wanted
