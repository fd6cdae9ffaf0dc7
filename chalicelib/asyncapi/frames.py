"""What clients send over the WebSocket API, and what its frames are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from chalicelib import errors, frames
from chalicelib.asyncapi.fields import ID, fields_of, record
from chalicelib.change_frames import EditFrame, ReactFrame, RecallFrame
from chalicelib.errors import IMError
from chalicelib.http.message_schema import ANY_SEQ, EMOJI, OPTIONAL_MEMBERS, draft_members
from chalicelib.http.schema import (
    JsonObject,
    Schema,
    array,
    integer,
    nullable,
    optional,
    string,
)
from chalicelib.logic.messages import Accepted
from chalicelib.logic.receipts import Receipt
from chalicelib.models import (
    WORLD,
    AckStatus,
    ContentType,
    Message,
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
ACK = frames.AckFrame(conversation_id=ROOM, seq=1, status=AckStatus.READ)
_DRAFTS = (
    {"client_msg_id": "c1", "conversation_id": ROOM, "content": "hello"},
    {"client_msg_id": "c2", "to": "bob", "content_type": "custom", "content": "{}"},
)

_CODES = {
    one.code
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, IMError) and one is not IMError
}
ERROR: Mapping[str, Schema] = {
    "code": string(choices=sorted(_CODES), description="docs/errors.md says what each means"),
    "message": string(description="for people"),
}
_CONTENT = string(
    max_length=frames.MAX_CONTENT_BYTES,
    description=f"at most {frames.MAX_CONTENT_BYTES} bytes of UTF-8, without NUL",
)
_DRAFT: Mapping[str, Schema] = {
    **draft_members(record),
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
PLACE = fields_of(frames.AckFrame, seq=_REACHED)
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
    "Refused": record(client_msg_id=nullable(ID), error=record(**ERROR)),
}


def reference(name: str) -> Schema:
    """One of the document's named schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def pushed(
    kind: str, summary: str, members: Mapping[str, Schema], *examples: Mapping[str, object]
) -> JsonObject:
    """A frame that answers nothing and is not answered."""
    return {
        "summary": summary,
        "payload": record(type=string(choices=[kind]), **members),
        "examples": [{"payload": {"type": kind, **example}} for example in examples],
    }


def exchanged(
    kind: str, summary: str, members: Mapping[str, Schema], *examples: Mapping[str, object]
) -> JsonObject:
    """A frame that a client sends, or the answer to one, which repeats its ``ref``."""
    frame = pushed(kind, summary, {**members, "ref": optional(ID)}, *examples)
    return {**frame, "correlationId": {"$ref": "#/components/correlationIds/ref"}}


_SEND = exchanged("send", "One message.", _DRAFT, *_DRAFTS)

CLIENT_FRAMES: Mapping[str, JsonObject] = {
    "ping": exchanged("ping", "Keeps the connection from idling out.", {}, {"ref": "r1"}),
    "send": {**_SEND, "payload": _SEND["payload"] | _ONE_TARGET},
    "send.batch": exchanged(
        "send",
        "Some messages.",
        {
            "messages": array(
                reference("Draft"), min_items=1, max_items=frames.MAX_MESSAGES_PER_FRAME
            )
        },
        {"messages": list(_DRAFTS)},
    ),
    "ack": exchanged(
        "ack",
        "Everything up to seq is delivered, or read.",
        PLACE,
        asdict(ACK),
    ),
    "sync": exchanged(
        "sync",
        "The client catches up.",
        {"cursors": optional(_CURSORS)},
        {"cursors": {ROOM: 0, WORLD: 7}},
        {},
    ),
    "edit": exchanged(
        "edit",
        "A message of one's own gets another content.",
        fields_of(EditFrame, seq=ANY_SEQ, content=_CONTENT),
        {"conversation_id": ROOM, "seq": 1, "content": "Hello!"},
    ),
    "recall": exchanged(
        "recall",
        "A message is taken back.",
        fields_of(RecallFrame, seq=ANY_SEQ),
        {"conversation_id": ROOM, "seq": 1},
    ),
    "react": exchanged(
        "react",
        "A reaction is given, or taken back.",
        fields_of(
            ReactFrame,
            seq=ANY_SEQ,
            emoji=EMOJI,
        ),
        {"conversation_id": ROOM, "seq": 1, "emoji": "👍"},
        {"conversation_id": ROOM, "seq": 1, "emoji": "👍", "remove": True},
    ),
    "presence": exchanged(
        "presence",
        "Somebody looks at this connection, or nobody does.",
        {"status": string(choices=["online", "away"])},
        {"status": "away"},
    ),
    "typing": pushed(
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
