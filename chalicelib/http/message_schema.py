"""The members of a message that apply to some only, for both documents of the APIs."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.change_frames import MAX_EXPIRES_IN_SECONDS, MAX_MENTIONS
from chalicelib.http.schema import (
    JsonObject,
    Schema,
    array,
    boolean,
    integer,
    obj,
    optional,
    string,
    timestamp,
)


def _some(**members: Schema) -> JsonObject:
    """An object of these members at least."""
    return {key: value for key, value in obj(**members).items() if key != "additionalProperties"}


_SEQ = integer(minimum=1)
_ID = string(min_length=1, max_length=64)
_REACTION = _some(count=integer(minimum=1), user_ids=array(string()))

ATTACHMENT = _some(id=_ID, name=string(), size=integer(minimum=1), content_type=string())
OPTIONAL_MEMBERS: Mapping[str, Schema] = {
    "edited_at": optional(timestamp()),
    "recalled": optional({**boolean(), "description": "taken back: the content is empty"}),
    "deleted": optional({**boolean(), "description": "I deleted it for me: the content is empty"}),
    "reactions": optional(
        {
            "type": "object",
            "description": "by emoji: how many, and the ids of some, mine among them",
            "additionalProperties": _REACTION,
        }
    ),
    "reply_to": optional(_some(seq=_SEQ, id=_ID, sender_id=_ID)),
    "mentions": optional({**array(_ID), "description": "user ids, or only `all`"}),
    "forwarded_from": optional(_some(sender_id=_ID, created_at=timestamp())),
    "expires_at": optional({**timestamp(), "description": "from then on the content is empty"}),
    "attachment": optional(ATTACHMENT),
    "metadata": optional(
        {"type": "object", "description": "what the operator's hook has added, up to 1 KiB"}
    ),
}
DRAFT_MEMBERS: Mapping[str, Schema] = {
    "reply_to": optional({**_SEQ, "description": "the seq of a message of this conversation"}),
    "mentions": optional(array(_ID, max_items=MAX_MENTIONS)),
    "forward_of": optional(_some(conversation_id=_ID, seq=_SEQ)),
    "expires_in": optional(
        {**integer(minimum=1, maximum=MAX_EXPIRES_IN_SECONDS), "description": "seconds"}
    ),
    "attachment": optional(
        {
            **_some(
                id=_ID,
                name=optional(string()),
                size=optional(integer()),
                content_type=optional(string()),
            ),
            "description": "an upload of mine; only its id counts",
        }
    ),
}
