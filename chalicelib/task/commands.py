"""The command tasks: each reads its arguments and calls one service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from chalicelib.broker import Broker, Command, PoisonError, Retry, event_message
from chalicelib.context import Context
from chalicelib.logic.broadcasts import BroadcastService, NoticeChunk
from chalicelib.logic.delivery import DeliveryService
from chalicelib.logic.log import Submission
from chalicelib.logic.password_reset import PasswordResetService
from chalicelib.logic.presence import PresenceService
from chalicelib.logic.presence_news import PresenceNews, PresenceNewsService
from chalicelib.logic.receipts import Receipt, ReceiptService
from chalicelib.logic.scheduled_messages import ScheduledMessageService
from chalicelib.logic.sync import SyncService
from chalicelib.models import (
    AckStatus,
    Connection,
    ConversationType,
    Notice,
    Placed,
)
from chalicelib.task.events import MessagesStored
from chalicelib.task.outbox import Outbox

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_REFERENCES = 1000  # in one event: about 100 KB, of the 1 MB that a record may have


def register_deliver(
    broker: Broker,
    delivery: Callable[[], DeliveryService],
    *,
    stored: Callable[[Sequence[Placed]], object] = lambda _: None,
) -> None:
    """``deliver``: accepted messages are numbered, stored and delivered."""
    # Kafka takes the events while the messages are pushed: a third of a small batch's time.
    beside = ThreadPoolExecutor(1, "events")

    @broker.batch_task("deliver", group="fanout")
    def deliver(commands: Sequence[Command]) -> None:
        submissions = read_all(broker, commands, _submission)
        publishing: list[Future[None]] = []

        def publish(placed: Sequence[Placed]) -> None:
            publishing.append(beside.submit(_publish_stored, broker, submissions, placed))

        placed = delivery().deliver(submissions, committed=publish)
        stored(placed)
        for one in publishing:
            one.result()
        logger.info(
            "delivered",
            extra={
                "messages": len(placed),
                "conversations": len({one.conversation_id for one in placed}),
                "trace_ids": list(dict.fromkeys(one.trace_id for one in submissions))[:25],
            },
        )


def register_others(
    broker: Broker,
    *,
    sync: Callable[[], SyncService],
    receipts: Callable[[], ReceiptService],
    outbox: Outbox,
) -> None:
    """``drain``: a new connection gets the backlog. ``receipt``: others learn of an ack."""

    @broker.batch_task("drain")
    def drain(commands: Sequence[Command]) -> None:
        undrained = sync().drain(read_all(broker, commands, _connection))
        outbox.drain(undrained.opening)
        outbox.drain_later(undrained.away)

    @broker.batch_task("receipt")
    def receipt(commands: Sequence[Command]) -> None:
        receipts().notify(read_all(broker, commands, _receipt))


def register_presence(
    broker: Broker,
    *,
    news: Callable[[], PresenceNewsService],
    presence: Callable[[], PresenceService],
    outbox: Outbox,
) -> None:
    """``presence``: a page of a user's friends is told. ``close``: a connection is closed."""

    @broker.batch_task("presence")
    def tell(commands: Sequence[Command]) -> None:
        news().tell(read_all(broker, commands, _presence_news))

    @broker.batch_task("close")
    def close(commands: Sequence[Command]) -> None:
        outbox.close_later(presence().close(read_all(broker, commands, _connection)))


def register_broadcasts(broker: Broker, broadcasts: Callable[[], BroadcastService]) -> None:
    """``broadcast``: a notice is spread over chunks; ``broadcast_chunk``: one of them is pushed."""

    @broker.batch_task("broadcast")
    def broadcast(commands: Sequence[Command]) -> None:
        for notice in read_all(broker, commands, lambda command: _notice(command.args)):
            broadcasts().spread(notice)

    @broker.batch_task("broadcast_chunk")
    def broadcast_chunk(commands: Sequence[Command]) -> None:
        for chunk in read_all(broker, commands, _notice_chunk):
            broadcasts().push(chunk)


def register_password_resets(
    broker: Broker, password_resets: Callable[[], PasswordResetService]
) -> None:
    """``password_reset``: a token is sent, if there is such a user."""

    @broker.task("password_reset", retry=Retry())
    def password_reset(_ctx: Context, username: str) -> None:
        password_resets().send_token(username)


def register_scheduled(
    broker: Broker, scheduled_messages: Callable[[], ScheduledMessageService]
) -> None:
    """``send_scheduled``: a scheduled message whose time has come is sent."""

    @broker.task("send_scheduled", retry=Retry(attempts=12))  # for more than an hour
    def send_scheduled(ctx: Context, user_id: str, scheduled_id: str) -> None:
        scheduled_messages().send(ctx, user_id, scheduled_id)


def _publish_stored(
    broker: Broker, submissions: Sequence[Submission], placed: Sequence[Placed]
) -> None:
    """An event for each conversation, in the trace of the first of its messages."""
    first = {one.conversation_id: one for one in reversed(submissions)}
    stored: dict[str, list[Placed]] = {}
    for one in placed:
        stored.setdefault(one.conversation_id, []).append(one)
    if not stored:
        return
    broker.connection.send(
        Context(),
        *(
            event_message(_stored(first[key], part), key, trace_id=first[key].trace_id)
            for key, group in stored.items()
            for part in _parts(group)
        ),
    )


def _parts(placed: list[Placed]) -> Iterator[list[Placed]]:
    """A batch of large frames must not become a record that Kafka refuses."""
    for at in range(0, len(placed), _MAX_REFERENCES):
        yield placed[at : at + _MAX_REFERENCES]


def _stored(first: Submission, placed: Sequence[Placed]) -> MessagesStored:
    return MessagesStored(
        conversation_id=first.conversation_id,
        conversation_type=first.type.value,
        messages=[{"id": one.id, "seq": one.seq, "sender_id": one.sender_id} for one in placed],
    )


def read_all(broker: Broker, commands: Sequence[Command], read: Callable[[Command], T]) -> list[T]:
    """Reads commands; one that cannot be read is parked, and the others go on."""
    found: list[T] = []
    for command in commands:
        try:
            found.append(read(command))
        except (KeyError, TypeError, ValueError) as error:
            broker.park(command, PoisonError(f"{type(error).__name__}: {error}"))
    return found


def _submission(command: Command) -> Submission:
    args = command.args
    return Submission(
        conversation_id=args["conversation_id"],
        type=ConversationType(args["type"]),
        sender_id=args["sender_id"],
        messages=args["messages"],
        source=command.source,
        offset=command.offset,
        trace_id=command.trace_id,
    )


def _connection(command: Command) -> Connection:
    return Connection(**command.args)


def _receipt(command: Command) -> Receipt:
    args = command.args
    return Receipt(
        conversation_id=args["conversation_id"],
        user_id=args["user_id"],
        seq=int(args["seq"]),
        status=AckStatus(args["status"]),
    )


def _presence_news(command: Command) -> PresenceNews:
    args = command.args
    return PresenceNews(user_id=args["user_id"], status=args["status"], start=args["start"])


def _notice(args: Mapping[str, Any]) -> Notice:
    return Notice(id=args["id"], content=args["content"], created_at=args["created_at"])


def _notice_chunk(command: Command) -> NoticeChunk:
    args = command.args
    return NoticeChunk(
        notice=_notice(args["notice"]),
        connection_ids=args["connection_ids"],
        attempt=int(args.get("attempt", 0)),
    )
