"""What follows a commit: rows of members, pushes to the live, pointers for the absent.

Each step may happen again, with the same result.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chalicelib.errors import UnavailableError
from chalicelib.frames import message_frames
from chalicelib.models import (
    WORLD,
    Connection,
    ConversationMember,
    Placed,
    PushResult,
    direct_members,
)

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30.0  # a connection may not take pushes during its own $connect
_ATTEMPTS = 10

Drain = Callable[[Iterable[Connection]], None]


class Members(Protocol):
    """The stored places of members."""

    def add(self, members: Sequence[ConversationMember]) -> None: ...
    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...
    def replace(self, old: ConversationMember, new: ConversationMember) -> bool: ...


class Offline(Protocol):
    """The stored pointers to missed messages."""

    def get(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]: ...
    def mark(self, pointers: Mapping[tuple[str, str], int]) -> None: ...


class Connections(Protocol):
    """The stored connections."""

    def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...
    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...
    def online(self) -> list[Connection]: ...
    def remove(self, user_id: str, connection_ids: Iterable[str]) -> None: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was pushed: the messages of direct conversations, and who did not take theirs."""

    messages: Mapping[str, list[Placed]]
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
        members: Members,
        offline: Offline,
        connections: Connections,
        push: Push,
        drain: Drain,
        drain_later: Drain,
        clock: Callable[[], float],
    ) -> None:
        self._members = members
        self._offline = offline
        self._connections = connections
        self._push = push
        self._drain = drain
        self._drain_later = drain_later
        self._clock = clock

    def count(self, placed: Sequence[Placed]) -> None:
        """Member rows: of a direct conversation's first message, and of senders in the world."""
        first = [one for one in placed if one.seq == 1 and direct_members(one.conversation_id)]
        self._members.add(
            [
                ConversationMember(conversation_id=one.conversation_id, user_id=user_id)
                for one in first
                for user_id in direct_members(one.conversation_id) or ()
            ]
        )
        own: dict[str, list[int]] = defaultdict(list)
        for one in placed:
            if one.conversation_id == WORLD:
                own[one.sender_id].append(one.seq)
        self._count_own(own)

    def push(self, placed: Sequence[Placed]) -> Pushed:
        """Pushes to every live connection of every member."""
        by_conversation = _in_order(placed)
        world = by_conversation.pop(WORLD, [])
        users = {user for key in by_conversation for user in direct_members(key) or ()}
        live = self._connections.live(users)
        wanted = _wanted(by_conversation, live)
        if world:
            for connection in self._connections.online():
                wanted.setdefault(connection.id, (connection, []))[1].append(world)
        missed, away = self._post(wanted)
        return Pushed(by_conversation, live, missed, away)

    def leave_pointers(self, pushed: Pushed) -> None:
        """Leaves pointers for receivers that no connection was found for."""
        absent = {
            (user_id, key): next(one.seq for one in messages if one.sender_id != user_id)
            for key, messages in pushed.messages.items()
            for user_id in direct_members(key) or ()
            if any(one.sender_id != user_id for one in messages) and pushed.missed_by(user_id)
        }
        if not absent:
            return
        standing = self._offline.get(absent)
        rows = self._members.get((key, user_id) for user_id, key in absent)
        pointers = {}
        for (user_id, key), seq in absent.items():
            row = rows.get((key, user_id))
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
        self, wanted: Mapping[str, tuple[Connection, list[list[Placed]]]]
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
        for connection in gone:
            if self._clock() - connection.connected_at < GRACE_SECONDS:
                opening.append(connection)
            else:
                self._connections.remove(connection.user_id, (connection.id,))
        if opening:
            self._drain(opening)

    def _drain_the_arrived(
        self, user_ids: set[str], before: Mapping[str, list[Connection]]
    ) -> None:
        """Who connected while the pointer was written has read the pointers too early."""
        for user_id, connections in self._connections.live(user_ids).items():
            known = {one.id for one in before[user_id]}
            arrived = [one for one in connections if one.id not in known]
            if arrived:
                self._drain(arrived)

    def _count_own(self, own: Mapping[str, list[int]]) -> None:
        """Own messages after ``read_seq``, so that they are not unread; see decision 0003."""
        todo = dict(own)
        for _ in range(_ATTEMPTS):
            if not todo:
                return
            rows = self._members.get((WORLD, user_id) for user_id in todo)
            if missing := [user_id for user_id in todo if (WORLD, user_id) not in rows]:
                self._members.add(self.world_rows(missing))
                continue
            for user_id in list(todo):
                row = rows[WORLD, user_id]
                seen = max(row.own_seq, row.read_seq)
                new = [seq for seq in todo[user_id] if seq > seen]
                counted = replace(row, own=row.own + len(new), own_seq=max([row.own_seq, *new]))
                if not new or self._members.replace(row, counted):
                    del todo[user_id]
        raise UnavailableError("the count of own messages is contended without end")

    def world_rows(self, user_ids: Sequence[str]) -> list[ConversationMember]:
        """The rows of users in the world room, beginning where it stood at registration."""
        items = self._connections.users(user_ids)
        return [world_member(user_id, items.get(user_id, {})) for user_id in user_ids]


def world_member(user_id: str, item: Mapping[str, Any]) -> ConversationMember:
    """A user's place in the world room before the first ack or message of theirs."""
    start = int(item.get("world_seq", 0))
    return ConversationMember(
        conversation_id=WORLD,
        user_id=user_id,
        read_seq=start,
        delivered_seq=start,
        joined_seq=start,
    )


def _in_order(placed: Sequence[Placed]) -> dict[str, list[Placed]]:
    """The messages of each conversation, once each; a redelivery may bring one twice."""
    found: dict[str, dict[int, Placed]] = defaultdict(dict)
    for one in placed:
        found[one.conversation_id][one.seq] = one
    return {key: [group[seq] for seq in sorted(group)] for key, group in found.items()}


def _wanted(
    by_conversation: Mapping[str, list[Placed]], live: Mapping[str, list[Connection]]
) -> dict[str, tuple[Connection, list[list[Placed]]]]:
    wanted: dict[str, tuple[Connection, list[list[Placed]]]] = {}
    for key, messages in by_conversation.items():
        for user_id in direct_members(key) or ():
            for connection in live.get(user_id, ()):
                wanted.setdefault(connection.id, (connection, []))[1].append(messages)
    return wanted
