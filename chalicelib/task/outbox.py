"""What services hand to Kafka, in their own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chalicelib.broker import DelayStore, KafkaConnection, Task
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.broadcasts import NoticeChunk
from chalicelib.models import AckStatus, Connection, DeadLetter, Notice
from chalicelib.mq import Message, MqError
from chalicelib.task.replay import record

_LATER_SECONDS = 10.0  # the schedule that releases them runs each minute


class Outbox:
    """Enqueues commands; Kafka has them on all in-sync replicas when a method returns.

    Every method raises UnavailableError where Kafka does not confirm.
    """

    def __init__(self, connection: KafkaConnection, delays: DelayStore) -> None:
        self._connection = connection
        self._deliver: Task[...] = Task("deliver", connection)
        self._drain: Task[...] = Task("drain", connection, delays=delays)
        self._receipt: Task[...] = Task("receipt", connection)
        self._broadcast: Task[...] = Task("broadcast", connection)
        self._chunk: Task[...] = Task("broadcast_chunk", connection, delays=delays)

    def submit(self, ctx: Context, submissions: Sequence[tuple[str, Mapping[str, Any]]], /) -> None:
        """Accepted messages, by conversation, which is the key that keeps them in order."""
        self._send(
            ctx,
            *(
                self._deliver.message(conversation_id, {"conversation_id": conversation_id, **args})
                for conversation_id, args in submissions
            ),
        )

    def drain(self, connections: Iterable[Connection]) -> None:
        """Connections that are to get their user's backlog."""
        self._send(
            Context(),
            *(self._drain.message(one.user_id, asdict(one)) for one in connections),
        )

    def drain_later(self, connections: Iterable[Connection]) -> None:
        """The same, when the service that they are behind may be back."""
        later = self._drain.with_options(delay_seconds=_LATER_SECONDS)
        for one in connections:
            later.kiq(Context(), one.user_id, **asdict(one))

    def receipt(
        self, ctx: Context, user_id: str, conversation_id: str, seq: int, status: AckStatus
    ) -> None:
        """A member's new place."""
        args = {
            "conversation_id": conversation_id,
            "user_id": user_id,
            "seq": seq,
            "status": status.value,
        }
        self._send(ctx, self._receipt.message(conversation_id, args))

    def broadcast(self, ctx: Context, notice: Notice) -> None:
        """A notice for everybody who is connected."""
        self._send(ctx, self._broadcast.message(notice.id, asdict(notice)))

    def push_notice(self, chunks: Iterable[NoticeChunk]) -> None:
        """Chunks of a broadcast, spread over the partitions."""
        records = (
            self._chunk.message(f"{chunk.notice.id}-{number}", asdict(chunk))
            for number, chunk in enumerate(chunks)
        )
        self._send(Context(), *records)

    def push_notice_later(self, chunk: NoticeChunk) -> None:
        """The connections of a chunk whose posts failed."""
        later = self._chunk.with_options(delay_seconds=_LATER_SECONDS)
        later.kiq(Context(), chunk.notice.id, **asdict(chunk))

    def resend(self, ctx: Context, letter: DeadLetter) -> None:
        """A dead letter, to its topic again."""
        self._send(ctx, record(letter))

    def _send(self, ctx: Context, *messages: Message) -> None:
        if not messages:
            return
        try:
            self._connection.send(ctx, *messages)
        except MqError as error:
            raise UnavailableError("Kafka did not confirm in time", retry_after=1.0) from error
