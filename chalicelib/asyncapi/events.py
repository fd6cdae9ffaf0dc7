"""The events in the topic EVENTS, as their dataclasses declare them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from chalicelib.asyncapi.fields import ID, SEQ, fields_of, record
from chalicelib.asyncapi.frames import MESSAGE, ROOM
from chalicelib.asyncapi.records import ATTEMPT, CHANGE, CONVERSATION_TYPE, FORMAT_MEMBER, described
from chalicelib.broker import BaseEvent
from chalicelib.broker.records import encode_event
from chalicelib.http.schema import JsonObject, Schema, array, optional, string
from chalicelib.models import ChangeKind, ConversationType
from chalicelib.task import events as declared

_STATES = string(choices=["closed", "open", "half-open"])


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
        example=declared.MessagesStored(
            conversation_id=ROOM,
            conversation_type=ConversationType.DIRECT.value,
            messages=[{"id": MESSAGE.id, "seq": MESSAGE.seq, "sender_id": MESSAGE.sender_id}],
        ),
        fields={
            "conversation_type": CONVERSATION_TYPE,
            "messages": array(record(id=ID, seq=SEQ, sender_id=ID), min_items=1),
        },
    ),
    "messages.changed": _Known(
        key="conversation_id",
        example=declared.MessagesChanged(
            conversation_id=ROOM,
            conversation_type=ConversationType.DIRECT.value,
            changes=[
                {
                    "id": "x-1",
                    "seq": MESSAGE.seq,
                    "kind": ChangeKind.REACT.value,
                    "user_id": "bob",
                    "at": MESSAGE.created_at,
                    "emoji": "👍",
                    "remove": False,
                }
            ],
        ),
        fields={"conversation_type": CONVERSATION_TYPE, "changes": array(CHANGE, min_items=1)},
    ),
    "breaker.changed": _Known(
        key="name",
        example=declared.BreakerChanged(
            name="dynamodb",
            old_state="closed",
            new_state="open",
            process="lambchat-FanoutFunction",
            at=1_700_000_000.25,
        ),
        fields={"old_state": _STATES, "new_state": _STATES},
    ),
    "account.deleted": _Known(
        key="user_id", example=declared.AccountDeleted(user_id="ann"), fields={}
    ),
    "data.exported": _Known(
        key="user_id",
        example=declared.DataExported(user_id="ann", export_id="x-1"),
        fields={},
    ),
}


def events() -> JsonObject:
    """Their records, by name."""
    return {one.event_name: _event(one) for one in vars(declared).values() if _is_event(one)}


def _event(kind: type[BaseEvent]) -> JsonObject:
    known = _EVENTS[kind.event_name]
    payload = record(
        v=FORMAT_MEMBER,
        event=string(choices=[kind.event_name]),
        event_version=string(pattern="[0-9]+[.][0-9]+", description="listeners compare the major"),
        payload=record(**fields_of(kind, leave_out=("event_version",), **known.fields)),
        attempt=ATTEMPT,
        listener=optional(string(min_length=1, description="the only one that is to take it")),
    )
    one = known.example
    example = encode_event(one.event_name, one.event_version, one.payload())
    summary = str(inspect.getdoc(kind)).partition("\n")[0]
    return described(summary, f"payload/{known.key}", payload, example)


def _is_event(one: object) -> TypeGuard[type[BaseEvent]]:
    return isinstance(one, type) and issubclass(one, BaseEvent) and one is not BaseEvent
