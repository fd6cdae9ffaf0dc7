"""The two Kafka topics: their records, and which consumer group takes what."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TypeGuard

from chalicelib.asyncapi import account
from chalicelib.asyncapi.fields import ID, SEQ, fields_of, message_references, record
from chalicelib.asyncapi.frames import MESSAGE, RECEIPT, ROOM, message_schema
from chalicelib.broker import EVENTS, TASKS, BaseEvent
from chalicelib.broker.records import FORMAT, encode_command, encode_event
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
from chalicelib.task import events

_KINDS = string(choices=[kind.value for kind in ConversationType])
_STATES = string(choices=["closed", "open", "half-open"])
_FORMAT = {
    **integer(minimum=FORMAT, maximum=FORMAT),
    "description": "the record's format; a reader leaves a higher one to a newer reader",
}
_ATTEMPT = optional({**integer(minimum=1), "description": "so many attempts failed before"})
_HEADERS = record(
    trace_id=string(pattern="[0-9a-f]{32}"),
    traceparent=string(
        pattern="00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", description="W3C trace context"
    ),
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

SERVER: JsonObject = {
    "host": "{brokers}",
    "protocol": "kafka",
    "description": "Parameter Store says where the brokers are and how to log in, as "
    "`/lambchat/{stage}/mq/lambchat` or `/lambchat/{stage}/mq/default`.",
    "variables": {"brokers": {"description": "Bootstrap addresses, comma separated."}},
}
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "fanout": (TASKS, ("deliver",)),
    "tasks": (
        TASKS,
        (
            "drain",
            "receipt",
            "presence",
            "close",
            "change",
            "broadcast",
            "broadcast_chunk",
            "push_chunk",
            "clear_group",
            "password_reset",
            "send_scheduled",
            *account.COMMANDS,
        ),
    ),
    "statistics": (EVENTS, ("messages.stored",)),
    "webhooks": (EVENTS, ("messages.stored",)),
    "webhook_posts": (TASKS, ("post_webhook",)),
    "breakers": (EVENTS, ("breaker.changed",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What an event's dataclass does not say.

    Attributes:
        key: The field that is the record's key.
        example: One such event.
        fields: The schemas of fields whose type does not say enough.
    """

    key: str
    example: BaseEvent
    fields: Mapping[str, Schema]


_EVENTS: Mapping[str, _Known] = {
    "messages.stored": _Known(
        key="conversation_id",
        example=events.MessagesStored(
            conversation_id=ROOM,
            conversation_type=ConversationType.DIRECT.value,
            messages=[{"id": MESSAGE.id, "seq": MESSAGE.seq, "sender_id": MESSAGE.sender_id}],
        ),
        fields={
            "conversation_type": _KINDS,
            "messages": array(record(id=ID, seq=SEQ, sender_id=ID), min_items=1),
        },
    ),
    "breaker.changed": _Known(
        key="name",
        example=events.BreakerChanged(
            name="dynamodb",
            old_state="closed",
            new_state="open",
            process="lambchat-FanoutFunction",
            at=1_700_000_000.25,
        ),
        fields={"old_state": _STATES, "new_state": _STATES},
    ),
    "account.deleted": _Known(
        key="user_id", example=events.AccountDeleted(user_id="ann"), fields={}
    ),
    "data.exported": _Known(
        key="user_id",
        example=events.DataExported(user_id="ann", export_id="x-1"),
        fields={},
    ),
}


def channels() -> JsonObject:
    """Both topics with the records in them."""
    return {
        TASKS: _channel(TASKS, "Commands, each carried out once.", _commands()),
        EVENTS: _channel(
            EVENTS,
            "What happened, to every listener.",
            {one.event_name: _event(one) for one in vars(events).values() if _is_event(one)},
        ),
    }


def operations() -> JsonObject:
    """Who sends to the topics, and one operation for each consumer group."""
    found: JsonObject = {
        "enqueue": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{TASKS}"},
            "summary": "A service hands on work.",
        },
        "publish": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{EVENTS}"},
            "summary": "Whoever wants to know is told.",
        },
    }
    for group, (topic, names) in GROUPS.items():
        group_id = string(pattern=f"lambchat-.+-{group}")
        found[group] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{topic}"},
            "summary": f"functions/{group}.py, or a worker.",
            "messages": message_references(topic, names),
            "bindings": {"kafka": {"groupId": group_id, "bindingVersion": "0.5.0"}},
        }
    return found


def _channel(topic: str, title: str, messages: JsonObject) -> JsonObject:
    return {
        "address": topic,
        "title": title,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": messages,
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _commands() -> JsonObject:
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
            fields_of(WebhookPost, conversation_type=_KINDS),
            asdict(_POST),
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
        v=_FORMAT,
        task=string(choices=[name]),
        args=record(**args),
        attempt=_ATTEMPT,
        idempotency_key=optional(
            string(min_length=1, description="commands with the same one are carried out once")
        ),
    )
    return _record(summary, f"args/{key}", payload, encode_command(name, example))


def _event(kind: type[BaseEvent]) -> JsonObject:
    known = _EVENTS[kind.event_name]
    payload = record(
        v=_FORMAT,
        event=string(choices=[kind.event_name]),
        event_version=string(pattern="[0-9]+[.][0-9]+", description="listeners compare the major"),
        payload=record(**fields_of(kind, leave_out=("event_version",), **known.fields)),
        attempt=_ATTEMPT,
        listener=optional(string(min_length=1, description="the only one that is to take it")),
    )
    one = known.example
    example = encode_event(one.event_name, one.event_version, one.payload())
    summary = str(inspect.getdoc(kind)).partition("\n")[0]
    return _record(summary, f"payload/{known.key}", payload, example)


def _record(summary: str, key: str, payload: JsonObject, example: bytes) -> JsonObject:
    key_schema = string(description=f"the same as $message.payload#/{key}")
    return {
        "summary": summary,
        "headers": _HEADERS,
        "payload": payload,
        "bindings": {"kafka": {"key": key_schema, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": json.loads(example)}],
    }


def _is_event(one: object) -> TypeGuard[type[BaseEvent]]:
    return isinstance(one, type) and issubclass(one, BaseEvent) and one is not BaseEvent
