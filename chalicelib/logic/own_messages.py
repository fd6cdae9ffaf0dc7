"""The rows of members that follow from their own messages: docs/decisions/0003-unread-counts.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.errors import UnavailableError
from chalicelib.models import (
    WORLD,
    ConversationMember,
    Placed,
    direct_members,
)

_ATTEMPTS = 10

Pair = tuple[str, str]  # conversation, user


class Members(Protocol):
    """The stored places of members."""

    def add(self, members: Sequence[ConversationMember]) -> None: ...
    def get(self, pairs: Iterable[Pair]) -> Mapping[Pair, ConversationMember]: ...
    def replace(self, old: ConversationMember, new: ConversationMember) -> bool: ...


class Users(Protocol):
    """The stored items of users."""

    def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...


class OwnMessages:
    """Counts own messages, so that they are not unread."""

    def __init__(self, members: Members, users: Users) -> None:
        self._members = members
        self._users = users

    def count(self, placed: Sequence[Placed]) -> None:
        """Member rows: of a direct conversation's first message, and of senders elsewhere.

        The same messages again change nothing.

        Raises:
            UnavailableError: Others change the same rows without end.
        """
        self._members.add(
            [
                ConversationMember(conversation_id=one.conversation_id, user_id=user_id)
                for one in placed
                if one.seq == 1
                for user_id in direct_members(one.conversation_id) or ()
            ]
        )
        own: dict[Pair, set[int]] = defaultdict(set)
        for one in placed:
            if direct_members(one.conversation_id) is None:
                own[one.conversation_id, one.sender_id].add(one.seq)
        if own:
            self._count(own)

    def _count(self, own: Mapping[Pair, set[int]]) -> None:
        todo = dict(own)
        for _ in range(_ATTEMPTS):
            rows = self._members.get(todo)
            if missing := [user_id for room, user_id in todo.keys() - rows if room == WORLD]:
                self._members.add(self._world_rows(missing))
                continue
            # Without a row in a group the sender has left it: nothing is unread there.
            todo = {
                pair: own[pair]
                for pair, row in rows.items()
                if not self._has_counted(row, own[pair])
            }
            if not todo:
                return
        raise UnavailableError("the count of own messages is contended without end")

    def _has_counted(self, row: ConversationMember, seqs: set[int]) -> bool:
        seen = max(row.own_seq, row.read_seq)
        new = [seq for seq in seqs if seq > seen]
        counted = replace(row, own=row.own + len(new), own_seq=max([row.own_seq, *new]))
        return not new or self._members.replace(row, counted)

    def _world_rows(self, user_ids: Sequence[str]) -> list[ConversationMember]:
        items = self._users.users(user_ids)
        return [world_member(user_id, items.get(user_id, {})) for user_id in user_ids]


def world_member(user_id: str, item: Mapping[str, Any]) -> ConversationMember:
    """A user's place in the world room: it begins where that stood at registration."""
    start = int(item.get("world_seq", 0))
    return ConversationMember(
        conversation_id=WORLD,
        user_id=user_id,
        read_seq=start,
        delivered_seq=start,
        joined_seq=start,
    )
