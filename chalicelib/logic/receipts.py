"""Telling others how far a member has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from chalicelib.frames import dump
from chalicelib.logic.audiences import Audience
from chalicelib.models import AckStatus, Connection, PushResult, Segment

SMALL = 20  # members; in a larger conversation only the sender of a message is told
_MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A member's new place in a conversation."""

    conversation_id: str
    user_id: str
    seq: int
    status: AckStatus


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


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
    """Pushes receipts; a lost one is made good by the next, which says more.

    In a crowd a sender is told only when somebody comes further than anybody did before: a message
    to a group of 200 costs at most two pushes to each of its sender's devices, one when it is
    delivered and one when it is read, in each process that carries out receipts. They all come
    from one partition, so mostly that is one.
    """

    def __init__(
        self, *, audiences: Audiences, connections: Connections, log: Log, push: Push
    ) -> None:
        self._audiences = audiences
        self._connections = connections
        self._log = log
        self._push = push
        self._told: dict[tuple[str, str, str, AckStatus], int] = {}

    def notify(self, receipts: Iterable[Receipt]) -> None:
        """Pushes a batch: of each member the furthest place; in a crowd the furthest of anybody."""
        batch = list(dict.fromkeys(receipts))
        audiences = self._audiences.of({one.conversation_id for one in batch})
        sender = cache(self._sender)
        furthest: dict[tuple[str, str, str, AckStatus], Receipt] = {}
        for one in batch:
            audience = audiences.get(one.conversation_id)
            listeners: Iterable[str] = audience.joined if audience else ()
            who = one.user_id
            if audience is None or len(audience.joined) > SMALL:
                listeners, who = sender(one.conversation_id, one.seq), ""
            for listener in listeners:
                key = (listener, one.conversation_id, who, one.status)
                if listener != one.user_id and (key not in furthest or furthest[key].seq < one.seq):
                    furthest[key] = one
        news = [(key[0], one) for key, one in furthest.items() if key[2] or self._is_news(key, one)]
        live = self._connections.live({listener for listener, _ in news})
        posts: dict[str, list[str]] = {}
        for listener, one in news:
            for connection in live.get(listener, ()):
                posts.setdefault(connection.id, []).append(_frame(one))
        self._push.post_all(posts)

    def _is_news(self, key: tuple[str, str, str, AckStatus], receipt: Receipt) -> bool:
        """Whether nobody of a crowd had come that far when a sender was told last."""
        if self._told.get(key, 0) >= receipt.seq:
            return False
        if len(self._told) >= _MAX_ENTRIES:
            self._told.clear()
        self._told[key] = receipt.seq
        return True

    def _sender(self, conversation_id: str, seq: int) -> list[str]:
        segment = self._log.containing(conversation_id, seq)
        messages = segment.messages if segment else ()
        return [one.sender_id for one in messages if one.seq == seq]


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
