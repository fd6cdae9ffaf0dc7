"""The frames of the WebSocket API: what clients send, what they are answered, what is pushed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from chalicelib import errors, frames
from chalicelib.asyncapi.fields import ID, NUMBER, SEQ, fields_of, record
from chalicelib.change_frames import MAX_EMOJI_LENGTH, EditFrame, ReactFrame, RecallFrame
from chalicelib.errors import IMError, NotMemberError, UnavailableError
from chalicelib.http.message_schema import DRAFT_MEMBERS, OPTIONAL_MEMBERS
from chalicelib.http.schema import (
    JsonObject,
    Schema,
    array,
    boolean,
    integer,
    nullable,
    optional,
    string,
    timestamp,
)
from chalicelib.logic.messages import Accepted
from chalicelib.logic.receipts import Receipt
from chalicelib.models import (
    WORLD,
    AckStatus,
    ContentType,
    Message,
    Presence,
    PresenceStatus,
    direct_id,
    message_id,
    rfc3339,
)

ROOM = direct_id("ann", "bob")
MESSAGE = Message(
    id=message_id("ann", ROOM, "c1"),
    conversation_id=ROOM,
    sender_id="ann",
    content="hello",
    type=ContentType.TEXT.value,
    seq=1,
    created_at=rfc3339(1_700_000_000),
    client_msg_id="c1",
)
RECEIPT = Receipt(conversation_id=ROOM, user_id="bob", seq=1, status=AckStatus.READ)
_UPDATED = replace(
    MESSAGE,
    content="Hello!",
    extra={
        "edited_at": rfc3339(1_700_000_060),
        "reactions": {"👍": {"count": 1, "user_ids": ["bob"]}},
    },
)
_ACK = frames.AckFrame(conversation_id=ROOM, seq=1, status=AckStatus.READ)
_ACCEPTED = Accepted(
    client_msg_id="c1",
    message_id=MESSAGE.id,
    conversation_id=ROOM,
    created_at=MESSAGE.created_at,
)
_REFUSED = {
    "client_msg_id": "c2",
    "error": {"code": NotMemberError.code, "message": NotMemberError.title},
}
_DRAFTS = (
    {"client_msg_id": "c1", "conversation_id": ROOM, "content": "hello"},
    {"client_msg_id": "c2", "to": "bob", "content_type": "custom", "content": "{}"},
)

_CODES = {
    one.code
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, IMError) and one is not IMError
}
_ERROR: Mapping[str, Schema] = {
    "code": string(choices=sorted(_CODES), description="docs/errors.md says what each means"),
    "message": string(description="for people"),
}
_CONTENT = string(
    max_length=frames.MAX_CONTENT_BYTES,
    description=f"at most {frames.MAX_CONTENT_BYTES} bytes of UTF-8, without NUL",
)
_DRAFT: Mapping[str, Schema] = {
    **DRAFT_MEMBERS,
    **fields_of(
        frames.Draft,
        leave_out=("options",),
        content=optional({**_CONTENT, "description": f"{_CONTENT['description']}; or forward_of"}),
        content_type=string(
            choices=[kind.value for kind in ContentType if kind is not ContentType.SYSTEM],
            default=ContentType.TEXT.value,
        ),
        to=ID,
    ),
}
_ONE_TARGET: JsonObject = {"oneOf": [{"required": ["conversation_id"]}, {"required": ["to"]}]}
_REACHED = integer(minimum=0, maximum=2**53 - 1)  # what every JSON reader takes exactly
_MESSAGE_SEQ = integer(minimum=1, maximum=2**53 - 1)
_PLACE = fields_of(frames.AckFrame, seq=_REACHED)
_CURSORS: Schema = {
    "type": "object",
    "description": "the last seq that is known, by conversation; without it, the backlog",
    "additionalProperties": _REACHED,
    "maxProperties": frames.MAX_CURSORS,
    "propertyNames": ID,
}


def message_schema(**known: Schema) -> JsonObject:
    """A message as clients see it, in frames and in REST answers."""
    kinds = string(choices=[kind.value for kind in ContentType])
    members = fields_of(Message, leave_out=("extra",), type=kinds, **known)
    return record(**members, **OPTIONAL_MEMBERS)


SCHEMAS: Mapping[str, Schema] = {
    "Message": message_schema(),
    "Draft": record(**_DRAFT) | _ONE_TARGET,
    "Accepted": record(**fields_of(Accepted)),
    "Refused": record(client_msg_id=nullable(ID), error=record(**_ERROR)),
}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _pushed(
    kind: str, summary: str, members: Mapping[str, Schema], *examples: Mapping[str, object]
) -> JsonObject:
    return {
        "summary": summary,
        "payload": record(type=string(choices=[kind]), **members),
        "examples": [{"payload": {"type": kind, **example}} for example in examples],
    }


def _exchanged(
    kind: str, summary: str, members: Mapping[str, Schema], *examples: Mapping[str, object]
) -> JsonObject:
    """A frame that a client sends, or the answer to one, which repeats its ``ref``."""
    frame = _pushed(kind, summary, {**members, "ref": optional(ID)}, *examples)
    return {**frame, "correlationId": {"$ref": "#/components/correlationIds/ref"}}


_SEND = _exchanged("send", "One message.", _DRAFT, *_DRAFTS)

CLIENT_FRAMES: Mapping[str, JsonObject] = {
    "ping": _exchanged("ping", "Keeps the connection from idling out.", {}, {"ref": "r1"}),
    "send": {**_SEND, "payload": _SEND["payload"] | _ONE_TARGET},
    "send.batch": _exchanged(
        "send",
        "Some messages.",
        {
            "messages": array(
                _reference("Draft"), min_items=1, max_items=frames.MAX_MESSAGES_PER_FRAME
            )
        },
        {"messages": list(_DRAFTS)},
    ),
    "ack": _exchanged(
        "ack",
        "Everything up to seq is delivered, or read.",
        _PLACE,
        asdict(_ACK),
    ),
    "sync": _exchanged(
        "sync",
        "The client catches up.",
        {"cursors": optional(_CURSORS)},
        {"cursors": {ROOM: 0, WORLD: 7}},
        {},
    ),
    "edit": _exchanged(
        "edit",
        "A message of one's own gets another content.",
        fields_of(EditFrame, seq=_MESSAGE_SEQ, content=_CONTENT),
        {"conversation_id": ROOM, "seq": 1, "content": "Hello!"},
    ),
    "recall": _exchanged(
        "recall",
        "A message is taken back.",
        fields_of(RecallFrame, seq=_MESSAGE_SEQ),
        {"conversation_id": ROOM, "seq": 1},
    ),
    "react": _exchanged(
        "react",
        "A reaction is given, or taken back.",
        fields_of(
            ReactFrame,
            seq=_MESSAGE_SEQ,
            emoji=string(
                min_length=1,
                max_length=MAX_EMOJI_LENGTH,
                description="an emoji, or a short text without blanks",
            ),
        ),
        {"conversation_id": ROOM, "seq": 1, "emoji": "👍"},
        {"conversation_id": ROOM, "seq": 1, "emoji": "👍", "remove": True},
    ),
    "presence": _exchanged(
        "presence",
        "Somebody looks at this connection, or nobody does.",
        {"status": string(choices=["online", "away"])},
        {"status": "away"},
    ),
    "typing": _pushed(
        "typing",
        "The user writes; never answered, not even with an error.",
        {"conversation_id": ID},
        {"conversation_id": ROOM},
    ),
    "other": {
        "summary": "A frame of any other type, or of none.",
        "payload": record(type=optional(string()), ref=optional(ID)),
        "examples": [{"payload": {"type": "no-such-frame", "ref": "r1"}}],
    },
}

SERVER_FRAMES: Mapping[str, JsonObject] = {
    "pong": _exchanged(
        "pong",
        "The time.",
        {"server_time": timestamp()},
        {"server_time": MESSAGE.created_at, "ref": "r1"},
    ),
    "sent": _exchanged(
        "sent",
        "Kafka has the message on all in-sync replicas.",
        fields_of(Accepted),
        asdict(_ACCEPTED),
    ),
    "sent.batch": _exchanged(
        "sent",
        "What became of each message, in their order.",
        {
            "messages": array(
                {"anyOf": [_reference("Accepted"), _reference("Refused")]}, min_items=1
            )
        },
        {"messages": [asdict(_ACCEPTED), _REFUSED]},
    ),
    "acked": _exchanged("acked", "How far it reaches now.", _PLACE, asdict(_ACK)),
    "synced": _exchanged(
        "synced",
        "What was missing came before; where there is more, ask again.",
        {"more": boolean()},
        {"more": False},
    ),
    "ok": _exchanged(
        "ok", "It is done, or Kafka has it on all in-sync replicas.", {}, {"ref": "r1"}
    ),
    "error": {
        "summary": "A frame was refused; its client_msg_id is repeated as ref, or else its ref.",
        "payload": record(
            type=string(choices=["error"]),
            **_ERROR,
            ref=optional(ID),
            retry_after=optional({**NUMBER, "description": "seconds to wait"}),
        ),
        "examples": [
            {"payload": json.loads(frames.error_frame(error, "c1"))}
            for error in (UnavailableError(retry_after=1.0), frames.unknown_type({}))
        ],
    },
    "messages": _pushed(
        "messages",
        "New or missed messages, in order of seq; frames may overtake each other.",
        {"messages": array(_reference("Message"), min_items=1)},
        {"messages": [frames.message_body(MESSAGE)]},
    ),
    "updated": _pushed(
        "updated",
        "A message was edited, recalled or reacted to: this is all of it, as it is now.",
        {"message": _reference("Message")},
        {"message": frames.message_body(_UPDATED)},
    ),
    "receipt": _pushed(
        "receipt", "How far another member has come.", fields_of(Receipt), asdict(RECEIPT)
    ),
    "presence.pushed": _pushed(
        "presence",
        "A friend came or went, or looks away.",
        fields_of(
            Presence,
            status=string(choices=[status.value for status in PresenceStatus]),
            last_seen=nullable(timestamp()),
        ),
        {"user_id": "bob", "status": "offline", "last_seen": MESSAGE.created_at},
        {"user_id": "bob", "status": "online", "last_seen": None},
    ),
    "typing.pushed": _pushed(
        "typing",
        "Another member writes; clients show it for some seconds.",
        {"conversation_id": ID, "user_id": ID},
        {"conversation_id": ROOM, "user_id": "bob"},
    ),
    "event": {
        "summary": "Something else changed: data says what, as far as a client needs it.",
        "payload": record(type=string(choices=["event"]), event=string(), data={"type": "object"}),
        "examples": [
            {"payload": json.loads(frames.event_frame("friend.deleted", {"user_id": "bob"}))}
        ],
    },
    "notify": _pushed(
        "notify",
        "Too many new messages to send them: fetch those that are shown.",
        {"conversation_id": ID, "last_seq": SEQ},
        {"conversation_id": WORLD, "last_seq": 1234},
    ),
}
