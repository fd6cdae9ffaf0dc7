"""What services hand to Kafka, in their own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from chalicelib.broker import DelayStore, KafkaConnection, Task
from chalicelib.broker.records import pack, traced
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.broadcasts import NoticeChunk
from chalicelib.logic.large_groups import PushChunk
from chalicelib.logic.presence_news import PresenceNews
from chalicelib.models import AckStatus, Change, Connection, DeadLetter, Notice, WebhookPost
from chalicelib.mq import Message, MqError
from chalicelib.task.replay import record

_LATER_SECONDS = 10.0  # the schedule that releases them runs each minute
_CLEAR_SECONDS = 24 * 3600.0  # by then its members have the last line of a dismissed group
OFFLINE_SECONDS = 10.0  # who is back before that was never away


class Outbox:
    """Enqueues commands; Kafka has them on all in-sync replicas when a method returns.

    Every method raises UnavailableError where Kafka does not confirm.
    """

    def __init__(self, connection: KafkaConnection, delays: DelayStore) -> None:
        self._connection = connection
        self._deliver: Task[...] = Task("deliver", connection)
        self._drain: Task[...] = Task("drain", connection, delays=delays)
        self._close: Task[...] = Task("close", connection, delays=delays)
        self._presence: Task[...] = Task("presence", connection, delays=delays)
        self._receipt: Task[...] = Task("receipt", connection)
        self._change: Task[...] = Task("change", connection, delays=delays)
        self._broadcast: Task[...] = Task("broadcast", connection)
        self._password_reset: Task[...] = Task("password_reset", connection)
        self._chunk: Task[...] = Task("broadcast_chunk", connection, delays=delays)
        self._push_chunk: Task[...] = Task("push_chunk", connection, delays=delays)
        self._clear_group: Task[...] = Task("clear_group", connection, delays=delays)
        self._clear_attachment: Task[...] = Task("clear_attachment", connection)
        self._erase: Task[...] = Task("erase_account", connection)
        self._export: Task[...] = Task("export_data", connection)
        self._scheduled: Task[...] = Task("send_scheduled", connection)
        self._webhook: Task[...] = Task("post_webhook", connection)

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

    def close(self, connections: Iterable[Connection]) -> None:
        """Connections that are to be closed, and could not be yet."""
        self._send(
            Context(), *(self._close.message(one.user_id, asdict(one)) for one in connections)
        )

    def close_later(self, connections: Iterable[Connection]) -> None:
        """The same, when the service that they are behind may be back."""
        later = self._close.with_options(delay_seconds=_LATER_SECONDS)
        for one in connections:
            later.kiq(Context(), one.user_id, **asdict(one))

    def presence(self, user_ids: Iterable[str]) -> None:
        """Users whose friends are to be told how things stand."""
        self.presence_news(PresenceNews(user_id=one) for one in user_ids)

    def presence_later(self, user_ids: Iterable[str]) -> None:
        """The same, if it is so in some seconds too."""
        later = self._presence.with_options(delay_seconds=OFFLINE_SECONDS)
        for one in dict.fromkeys(user_ids):
            later.kiq(Context(), one, **asdict(PresenceNews(user_id=one)))

    def presence_news(self, news: Iterable[PresenceNews]) -> None:
        """News of users for more of their friends."""
        self._send(Context(), *(self._presence.message(one.user_id, asdict(one)) for one in news))

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

    def change(self, ctx: Context, change: Change) -> None:
        """An accepted change of a message, in order with the others of its conversation."""
        self._send(ctx, self._change.message(change.conversation_id, asdict(change)))

    def expire(self, change: Change, seconds: float) -> None:
        """The end of a message, when its time has come."""
        later = self._change.with_options(delay_seconds=seconds)
        later.kiq(Context(), change.conversation_id, **asdict(change))

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

    def push_chunks(self, chunks: Iterable[PushChunk]) -> None:
        """New messages of large groups, spread over the partitions; each chunk's in order."""
        records = (
            self._push_chunk.message(f"{one.conversation_id}-{one.number}", asdict(one))
            for one in chunks
        )
        self._send(Context(), *records)

    def push_chunk_later(self, chunk: PushChunk) -> None:
        """The members of a chunk whose posts failed."""
        later = self._push_chunk.with_options(delay_seconds=_LATER_SECONDS)
        later.kiq(Context(), f"{chunk.conversation_id}-{chunk.number}", **asdict(chunk))

    def clear_group_later(self, group_id: str) -> None:
        """A group that is being dismissed: its rows are to go."""
        later = self._clear_group.with_options(delay_seconds=_CLEAR_SECONDS)
        later.kiq(Context(), group_id, group_id=group_id)

    def clear_attachments(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Attachments, each with a message that loses it."""
        records = (
            self._clear_attachment.message(one, {"attachment_id": one, "message_id": message_id})
            for one, message_id in pairs
        )
        self._send(Context(), *records)

    def reset_password(self, ctx: Context, username: str) -> None:
        """A user who forgot their password."""
        self._send(ctx, self._password_reset.message(username, {"username": username}))

    def erase_account(self, ctx: Context, user_id: str) -> None:
        """An account that is to be deleted: the first step."""
        self._send(ctx, self._erase.message(user_id, {"user_id": user_id, "again": False}))

    def export_data(self, ctx: Context, user_id: str, export_id: str, step: int) -> None:
        """A step of an export."""
        args = {"user_id": user_id, "export_id": export_id, "step": step}
        self._send(ctx, self._export.message(user_id, args))

    def scheduled_record(self, ctx: Context, user_id: str, scheduled_id: str) -> bytes:
        """What has a scheduled message sent; whoever stores the message keeps it with that."""
        args = {"user_id": user_id, "scheduled_id": scheduled_id}
        message = self._scheduled.message(user_id, args)
        return pack(replace(message, headers=traced(ctx.trace_id)))

    def post_webhooks(self, posts: Iterable[tuple[str, WebhookPost]]) -> None:
        """Messages that receivers are to be told of, each with its trace."""
        records = (
            replace(self._webhook.message(one.target_id, _args(one)), headers=traced(trace_id))
            for trace_id, one in posts
        )
        self._send(Context(), *records)

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


def _args(post: WebhookPost) -> dict[str, Any]:
    """Without the member that only changes have: older readers do not know it."""
    return {name: value for name, value in asdict(post).items() if name != "change" or value}
