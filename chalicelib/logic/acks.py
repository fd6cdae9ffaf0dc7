"""Acknowledging messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.access import Access
from chalicelib.models import (
    AckStatus,
    ConversationMember,
    ConversationType,
    Head,
    Placed,
)

_ATTEMPTS = 10


class Heads(Protocol):
    """The stored heads."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class History(Protocol):
    """The stored logs."""

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...


class Places(Protocol):
    """The stored places of members."""

    def get(
        self, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...
    def add(self, members: Sequence[ConversationMember]) -> None: ...
    def replace(self, old: ConversationMember, new: ConversationMember) -> bool: ...


class Pointers(Protocol):
    """The stored pointers to missed messages."""

    def get(self, pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]: ...
    def mark(self, pointers: Mapping[tuple[str, str], int]) -> None: ...
    def clear(self, user_id: str, conversation_id: str, up_to: int) -> bool: ...
    def move(self, user_id: str, conversation_id: str, first_seq: int) -> bool: ...


class AckService:
    """Acknowledgements: cumulative, never back, never beyond the last message."""

    def __init__(
        self,
        *,
        access: Access,
        heads: Heads,
        places: Places,
        pointers: Pointers,
        history: History,
        new_place: Callable[[str, str], ConversationMember],
        receipt: Callable[[Context, str, str, int, AckStatus], None],
    ) -> None:
        self._access = access
        self._heads = heads
        self._places = places
        self._pointers = pointers
        self._history = history
        self._new_place = new_place
        self._receipt = receipt

    def ack(
        self, ctx: Context, user_id: str, conversation_id: str, seq: int, status: AckStatus
    ) -> int:
        """Acknowledges everything up to ``seq``.

        Returns:
            How far the acknowledgement reaches now: less than ``seq`` where the conversation
            ends before it, more where it had been there.

        Raises:
            ConversationNotFoundError, NotMemberError: The user is not in it.
        """
        kind = self._access.check(user_id, conversation_id)
        head = self._head(conversation_id) or Head(id=conversation_id, type=kind)
        seq = min(seq, head.last_seq)
        if seq == 0:
            return 0
        row = self._advance(ctx, head, user_id, seq, status)
        self._clear_pointer(user_id, conversation_id, row.delivered_seq, head)
        return _reached(row, status)

    def _advance(
        self, ctx: Context, head: Head, user_id: str, seq: int, status: AckStatus
    ) -> ConversationMember:
        key = (head.id, user_id)
        for _ in range(_ATTEMPTS):
            row = self._places.get((key,)).get(key)
            if row is None:
                self._places.add((self._new_place(head.id, user_id),))
                continue
            if seq <= _reached(row, status):
                return row
            # First the receipt: a crash in between repeats it with the client's next try.
            self._receipt(ctx, user_id, head.id, seq, status)
            moved = self._moved(head, row, seq, status)
            if self._places.replace(row, moved):
                return moved
        raise UnavailableError("the acknowledgement is contended without end")

    def _moved(
        self, head: Head, row: ConversationMember, seq: int, status: AckStatus
    ) -> ConversationMember:
        delivered = max(row.delivered_seq, seq)
        if status is AckStatus.DELIVERED:
            return replace(row, delivered_seq=delivered)
        own = self._own(head, row, row.user_id, seq)
        return replace(row, read_seq=seq, delivered_seq=delivered, own=own)

    def _own(self, head: Head, row: ConversationMember, user_id: str, seq: int) -> int:
        """The count of own messages that belongs to ``read_seq`` = ``seq``: decision 0003."""
        if head.type is not ConversationType.DIRECT:
            return self._own_between(head.id, user_id, seq, row.own_seq)
        after = self._own_between(head.id, user_id, seq, head.last_seq)
        return head.sent.get(user_id, 0) - after

    def _own_between(self, conversation_id: str, user_id: str, after: int, last: int) -> int:
        if after >= last:
            return 0
        messages = self._history.after(conversation_id, after, last - after)
        return sum(one.sender_id == user_id for one in messages)

    def _clear_pointer(self, user_id: str, conversation_id: str, seq: int, head: Head) -> None:
        pair = (user_id, conversation_id)
        first = self._pointers.get((pair,)).get(pair)
        if first is None or first > seq:
            return
        if seq < head.last_seq:
            self._pointers.move(user_id, conversation_id, seq + 1)
        elif self._pointers.clear(user_id, conversation_id, seq):
            # `deliver` commits before it reads the pointers: a message that it found covered by
            # the pointer just removed is in the log by now.
            now = self._head(conversation_id)
            if now and now.last_seq > seq:
                self._pointers.mark({pair: seq + 1})

    def _head(self, conversation_id: str) -> Head | None:
        return self._heads.get_conversations((conversation_id,)).get(conversation_id)


def _reached(row: ConversationMember, status: AckStatus) -> int:
    return row.read_seq if status is AckStatus.READ else row.delivered_seq
