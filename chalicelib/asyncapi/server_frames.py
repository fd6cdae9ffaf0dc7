"""What clients are answered over the WebSocket API, and what is pushed to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from chalicelib import frames
from chalicelib.asyncapi.fields import ID, NUMBER, SEQ, fields_of, record
from chalicelib.asyncapi.frames import (
    ACK,
    ERROR,
    MESSAGE,
    PLACE,
    RECEIPT,
    ROOM,
    exchanged,
    pushed,
    reference,
)
from chalicelib.errors import NotMemberError, UnavailableError
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    nullable,
    optional,
    string,
    timestamp,
)
from chalicelib.logic.messages import Accepted
from chalicelib.logic.receipts import Receipt
from chalicelib.models import WORLD, Presence, PresenceStatus, rfc3339

_UPDATED = replace(
    MESSAGE,
    content="Hello!",
    extra={
        "edited_at": rfc3339(1_700_000_060),
        "reactions": {"👍": {"count": 1, "user_ids": ["bob"]}},
    },
)
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

SERVER_FRAMES: Mapping[str, JsonObject] = {
    "pong": exchanged(
        "pong",
        "The time.",
        {"server_time": timestamp()},
        {"server_time": MESSAGE.created_at, "ref": "r1"},
    ),
    "sent": exchanged(
        "sent",
        "Kafka has the message on all in-sync replicas.",
        fields_of(Accepted),
        asdict(_ACCEPTED),
    ),
    "sent.batch": exchanged(
        "sent",
        "What became of each message, in their order.",
        {"messages": array({"anyOf": [reference("Accepted"), reference("Refused")]}, min_items=1)},
        {"messages": [asdict(_ACCEPTED), _REFUSED]},
    ),
    "acked": exchanged("acked", "How far it reaches now.", PLACE, asdict(ACK)),
    "synced": exchanged(
        "synced",
        "What was missing came before; where there is more, ask again.",
        {"more": boolean()},
        {"more": False},
    ),
    "ok": exchanged(
        "ok", "It is done, or Kafka has it on all in-sync replicas.", {}, {"ref": "r1"}
    ),
    "error": {
        "summary": "A frame was refused; its client_msg_id is repeated as ref, or else its ref.",
        "payload": record(
            type=string(choices=["error"]),
            **ERROR,
            ref=optional(ID),
            retry_after=optional({**NUMBER, "description": "seconds to wait"}),
        ),
        "examples": [
            {"payload": json.loads(frames.error_frame(error, "c1"))}
            for error in (UnavailableError(retry_after=1.0), frames.unknown_type({}))
        ],
    },
    "messages": pushed(
        "messages",
        "New or missed messages, in order of seq; frames may overtake each other.",
        {"messages": array(reference("Message"), min_items=1)},
        {"messages": [frames.message_body(MESSAGE)]},
    ),
    "updated": pushed(
        "updated",
        "A message was edited, recalled or reacted to: this is all of it, as it is now.",
        {"message": reference("Message")},
        {"message": frames.message_body(_UPDATED)},
    ),
    "receipt": pushed(
        "receipt", "How far another member has come.", fields_of(Receipt), asdict(RECEIPT)
    ),
    "presence.pushed": pushed(
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
    "typing.pushed": pushed(
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
    "notify": pushed(
        "notify",
        "Too many new messages to send them: fetch those that are shown.",
        {"conversation_id": ID, "last_seq": SEQ},
        {"conversation_id": WORLD, "last_seq": 1234},
    ),
}
