"""Telling others how far a member has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.frames import dump
from chalicelib.models import (
    AckStatus,
    Connection,
    PushResult,
    Segment,
    direct_members,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A member's new place in a conversation."""

    conversation_id: str
    user_id: str
    seq: int
    status: AckStatus


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...


class Log(Protocol):
    """The stored logs."""

    def containing(self, conversation_id: str, seq: int) -> Segment | None: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class ReceiptService:
    """Pushes receipts; a lost one is made good by the next, which says more."""

    def __init__(self, *, connections: Connections, log: Log, push: Push) -> None:
        self._connections = connections
        self._log = log
        self._push = push

    def notify(self, receipts: Iterable[Receipt]) -> None:
        """Pushes a batch, of each member's receipts in a conversation only the furthest."""
        furthest: dict[tuple[str, str, AckStatus], Receipt] = {}
        for receipt in receipts:
            key = (receipt.conversation_id, receipt.user_id, receipt.status)
            if key not in furthest or furthest[key].seq < receipt.seq:
                furthest[key] = receipt
        told = [(receipt, self._listeners(receipt)) for receipt in furthest.values()]
        live = self._connections.live({user_id for _, users in told for user_id in users})
        posts: dict[str, list[str]] = {}
        for receipt, users in told:
            frame = _frame(receipt)
            for user_id in users:
                for connection in live.get(user_id, ()):
                    posts.setdefault(connection.id, []).append(frame)
        self._push.post_all(posts)

    def _listeners(self, receipt: Receipt) -> list[str]:
        members: Sequence[str] | None = direct_members(receipt.conversation_id)
        if members is None:  # above 20 members only the message's sender is told
            segment = self._log.containing(receipt.conversation_id, receipt.seq)
            messages = segment.messages if segment else ()
            members = [one.sender_id for one in messages if one.seq == receipt.seq]
        return [user_id for user_id in members if user_id != receipt.user_id]


def _frame(receipt: Receipt) -> str:
    return dump(
        {
            "type": "receipt",
            "conversation_id": receipt.conversation_id,
            "user_id": receipt.user_id,
            "seq": receipt.seq,
            "status": receipt.status.value,
        }
    )
