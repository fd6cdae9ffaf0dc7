"""What every record of the topics has: headers, a key, and the members around its own."""

from __future__ import annotations

import json

from chalicelib.asyncapi.fields import ID, SEQ, record
from chalicelib.broker.records import FORMAT
from chalicelib.http.schema import JsonObject, boolean, integer, optional, string, timestamp
from chalicelib.models import ChangeKind, ConversationType

CONVERSATION_TYPE = string(choices=[kind.value for kind in ConversationType])
FORMAT_MEMBER = {
    **integer(minimum=FORMAT, maximum=FORMAT),
    "description": "the record's format; a reader leaves a higher one to a newer reader",
}
CHANGE = record(
    id=ID,
    seq=SEQ,
    kind=string(choices=[one.value for one in ChangeKind if one is not ChangeKind.EXPIRE]),
    user_id=ID,
    at=timestamp(),
    emoji=optional(string()),
    remove=optional(boolean()),
)
ATTEMPT = optional({**integer(minimum=1), "description": "so many attempts failed before"})
_HEADERS = record(
    trace_id=string(pattern="[0-9a-f]{32}"),
    traceparent=string(
        pattern="00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", description="W3C trace context"
    ),
)


def described(summary: str, key: str, payload: JsonObject, example: bytes) -> JsonObject:
    """One kind of record; ``key`` is the pointer to where its payload repeats its key."""
    key_schema = string(description=f"the same as $message.payload#/{key}")
    return {
        "summary": summary,
        "headers": _HEADERS,
        "payload": payload,
        "bindings": {"kafka": {"key": key_schema, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": json.loads(example)}],
    }
