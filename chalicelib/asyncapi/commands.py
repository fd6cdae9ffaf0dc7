"""The commands in the topic TASKS: what each does, its arguments, and an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from chalicelib.asyncapi import account
from chalicelib.asyncapi.fields import ID, fields_of, record
from chalicelib.asyncapi.frames import MESSAGE, RECEIPT, ROOM, message_schema
from chalicelib.asyncapi.records import (
    ATTEMPT,
    CHANGE,
    CONVERSATION_TYPE,
    FORMAT_MEMBER,
    described,
)
from chalicelib.broker.records import encode_command
from chalicelib.frames import MAX_MESSAGES_PER_FRAME, message_body
from chalicelib.http.schema import JsonObject, Schema, array, integer, optional, string
from chalicelib.logic.broadcasts import NoticeChunk
from chalicelib.logic.large_groups import PushChunk
from chalicelib.logic.log import Submission
from chalicelib.logic.presence_news import PresenceNews
from chalicelib.logic.receipts import Receipt
from chalicelib.models import (
    Change,
    ChangeKind,
    Connection,
    ConversationType,
    Notice,
    PresenceStatus,
    TargetKind,
    WebhookEvent,
    WebhookPost,
    rfc3339,
)

_CONNECTION = Connection(
    id="c-1",
    user_id="bob",
    device_id="d-1",
    session_id="s-1",
    connected_at=1_700_000_000.25,
    expires_at=1_700_007_200.25,
)

_CHANGE = Change(
    conversation_id=ROOM,
    seq=1,
    kind=ChangeKind.EDIT,
    user_id="ann",
    at=rfc3339(1_700_000_060),
    id="x-1",
    content="Hello!",
    emoji="",
    remove=False,
)

_NOTICE = Notice(id="n-1", content="Back in a minute.", created_at="2026-11-21T08:00:00.000Z")

_POST = WebhookPost(
    target=TargetKind.WEBHOOK,
    target_id="w-1",
    event=WebhookEvent.MESSAGE_STORED.value,
    conversation_id=ROOM,
    conversation_type=ConversationType.DIRECT.value,
    seq=1,
)


def commands() -> JsonObject:
    """Their records, by name."""
    message = message_schema(seq=integer(minimum=0, maximum=0))
    return {
        "deliver": _command(
            "deliver",
            "Accepted messages are numbered, stored and delivered.",
            "conversation_id",
            fields_of(
                Submission,
                leave_out=("source", "offset", "trace_id"),  # the record itself has them
                messages=array(message, min_items=1, max_items=MAX_MESSAGES_PER_FRAME),
            ),
            {
                "conversation_id": ROOM,
                "type": ConversationType.DIRECT.value,
                "sender_id": MESSAGE.sender_id,
                "messages": [message_body(replace(MESSAGE, seq=0))],
            },
        ),
        "drain": _command(
            "drain",
            "A new connection gets its user's backlog.",
            "user_id",
            fields_of(Connection),
            asdict(_CONNECTION),
        ),
        "receipt": _command(
            "receipt",
            "Other members learn how far one has come.",
            "conversation_id",
            fields_of(Receipt),
            asdict(RECEIPT),
        ),
        "presence": _command(
            "presence",
            "Friends of a user are told how things stand, some hundred each.",
            "user_id",
            {"user_id": ID, "status": string(choices=["", *PresenceStatus]), "start": string()},
            asdict(PresenceNews(user_id="bob")),
        ),
        "close": _command(
            "close",
            "A connection is closed that could not be closed before.",
            "user_id",
            fields_of(Connection),
            asdict(_CONNECTION),
        ),
        "change": _command(
            "change",
            "An accepted edit, recall or reaction is carried out, or a message expires.",
            "conversation_id",
            fields_of(Change),
            asdict(_CHANGE),
        ),
        "broadcast": _command(
            "broadcast",
            "A notice is spread over everybody who is connected.",
            "id",
            fields_of(Notice),
            asdict(_NOTICE),
        ),
        "broadcast_chunk": _command(
            "broadcast_chunk",
            "Some of the connections get a notice.",
            "notice/id",
            fields_of(
                NoticeChunk,
                notice=record(**fields_of(Notice)),
                connection_ids=array(ID, min_items=1),
            ),
            {"notice": asdict(_NOTICE), "connection_ids": [_CONNECTION.id]},
        ),
        "push_chunk": _command(
            "push_chunk",
            "Some members of a large group get new messages.",
            "conversation_id",
            fields_of(
                PushChunk,
                number=integer(minimum=0),
                chunks=integer(minimum=1),
                user_ids={**array(ID), "description": "only these; none for all of the chunk"},
            ),
            {
                "conversation_id": "g-1",
                "first_seq": 1,
                "last_seq": 3,
                "number": 0,
                "chunks": 2,
            },
        ),
        "clear_group": _command(
            "clear_group",
            "Some rows of a group go that was dismissed.",
            "group_id",
            {"group_id": ID},
            {"group_id": "g-1"},
        ),
        "clear_attachment": _command(
            "clear_attachment",
            "A message lost its attachment; with the last one the object goes.",
            "attachment_id",
            {"attachment_id": ID, "message_id": ID},
            {"attachment_id": "f-1", "message_id": MESSAGE.id},
        ),
        "password_reset": _command(
            "password_reset",
            "A token is sent to who forgot their password, if there is such a user.",
            "username",
            {"username": string(min_length=1)},
            {"username": "Alice"},
        ),
        "send_scheduled": _command(
            "send_scheduled",
            "A scheduled message whose time has come is sent.",
            "user_id",
            {"user_id": ID, "scheduled_id": ID},
            {"user_id": "ann", "scheduled_id": "1800000000000-a1"},
        ),
        "post_webhook": _command(
            "post_webhook",
            "A receiver of webhooks, or a bot, is told of a message.",
            "target_id",
            fields_of(WebhookPost, conversation_type=CONVERSATION_TYPE, change=optional(CHANGE)),
            {name: value for name, value in asdict(_POST).items() if value},
        ),
        **{
            name: _command(name, summary, "user_id", args, example)
            for name, (summary, args, example) in account.COMMANDS.items()
        },
    }


def _command(
    name: str, summary: str, key: str, args: Mapping[str, Schema], example: Mapping[str, object]
) -> JsonObject:
    payload = record(
        v=FORMAT_MEMBER,
        task=string(choices=[name]),
        args=record(**args),
        attempt=ATTEMPT,
        idempotency_key=optional(
            string(min_length=1, description="commands with the same one are carried out once")
        ),
    )
    return described(summary, f"args/{key}", payload, encode_command(name, example))
