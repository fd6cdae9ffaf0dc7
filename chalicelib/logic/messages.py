"""Accepting messages, and acknowledging them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    ConversationNotFoundError,
    IMError,
    NotMemberError,
    SelfError,
    UnavailableError,
    UserNotFoundError,
)
from chalicelib.frames import Draft, Rejected
from chalicelib.models import (
    WORLD,
    AckStatus,
    ConversationMember,
    ConversationType,
    Head,
    Placed,
    direct_id,
    direct_members,
    message_id,
    rfc3339,
)

logger = logging.getLogger(__name__)

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a sender is told once Kafka has the message."""

    client_msg_id: str
    message_id: str
    conversation_id: str
    created_at: str


class Directory(Protocol):
    """Who exists."""

    def exists(self, user_id: str) -> bool: ...


class Submitter(Protocol):
    """Hands accepted messages to Kafka, all or an error."""

    def __call__(
        self, ctx: Context, submissions: Sequence[tuple[str, Mapping[str, Any]]], /
    ) -> None: ...


class Heads(Protocol):
    """The stored heads."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class History(Protocol):
    """The stored logs."""

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...
    def before(self, conversation_id: str, seq: int | None, limit: int) -> list[Placed]: ...


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


class Access:
    """Which conversation is meant, and whether the user may write to it and read it."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def resolve(self, user_id: str, draft: Draft) -> tuple[str, ConversationType]:
        """The conversation a draft goes to.

        Raises:
            SelfError: To oneself.
            UserNotFoundError: ``to`` is nobody.
            ConversationNotFoundError, NotMemberError: As `check`.
        """
        if not draft.to:
            return draft.conversation_id, self.check(user_id, draft.conversation_id)
        if draft.to == user_id:
            raise SelfError("to: expected the id of another user")
        if not self._directory.exists(draft.to):
            raise UserNotFoundError("to: there is no such user")
        return direct_id(user_id, draft.to), ConversationType.DIRECT

    def check(self, user_id: str, conversation_id: str) -> ConversationType:
        """The type of a conversation that the user is a member of.

        Raises:
            ConversationNotFoundError: There is no such conversation.
            NotMemberError: The user is not in it.
        """
        if conversation_id == WORLD:
            return ConversationType.WORLD
        members = direct_members(conversation_id)
        if members is None:
            raise ConversationNotFoundError
        if user_id not in members:
            raise NotMemberError
        other = members[0] if members[1] == user_id else members[1]
        if not self._directory.exists(other):
            raise ConversationNotFoundError
        return ConversationType.DIRECT


class MessageService:
    """Takes messages in: checked here, once; after that they are only ever delivered."""

    def __init__(
        self,
        *,
        access: Access,
        submit: Submitter,
        history: History,
        clock: Callable[[], float],
    ) -> None:
        self._access = access
        self._submit = submit
        self._history = history
        self._clock = clock

    def send_message(
        self, ctx: Context, user_id: str, drafts: Sequence[Draft | Rejected]
    ) -> list[Accepted | Rejected]:
        """Accepts messages; when this returns, Kafka has the accepted ones on all replicas.

        Raises:
            UnavailableError: Kafka did not confirm; they may have been stored: send again.
        """
        created_at = rfc3339(self._clock())
        groups: dict[str, dict[str, Any]] = {}
        results = [self._accept(user_id, draft, created_at, groups) for draft in drafts]
        if groups:
            self._submit(ctx, list(groups.items()))
        return results

    def get_messages(
        self,
        user_id: str,
        conversation_id: str,
        *,
        before: int | None,
        after: int | None,
        limit: int,
    ) -> list[Placed]:
        """A page of history: after a number oldest first, else the nearest before one first.

        Raises:
            ConversationNotFoundError, NotMemberError: The user may not read it.
        """
        self._access.check(user_id, conversation_id)
        if after is not None:
            found = self._history.after(conversation_id, after, limit)
            return [one for one in found if before is None or one.seq < before]
        return self._history.before(conversation_id, before, limit)

    def _accept(
        self,
        user_id: str,
        draft: Draft | Rejected,
        created_at: str,
        groups: dict[str, dict[str, Any]],
    ) -> Accepted | Rejected:
        if isinstance(draft, Rejected):
            return draft
        try:
            conversation_id, kind = self._access.resolve(user_id, draft)
        except UnavailableError:
            raise
        except IMError as error:
            return Rejected(client_msg_id=draft.client_msg_id, error=error)
        identity = message_id(user_id, conversation_id, draft.client_msg_id)
        body = {
            "id": identity,
            "conversation_id": conversation_id,
            "sender_id": user_id,
            "seq": 0,
            "type": draft.content_type,
            "content": draft.content,
            "created_at": created_at,
            "client_msg_id": draft.client_msg_id,
        }
        group = groups.setdefault(
            conversation_id, {"type": kind.value, "sender_id": user_id, "messages": []}
        )
        group["messages"].append(body)
        return Accepted(
            client_msg_id=draft.client_msg_id,
            message_id=identity,
            conversation_id=conversation_id,
            created_at=created_at,
        )


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
        if head.type is ConversationType.WORLD:
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
