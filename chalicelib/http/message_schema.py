"""The members of a message that apply to some only, for both documents of the APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib import change_frames
from chalicelib.change_frames import MAX_EXPIRES_IN_SECONDS, MAX_MENTIONS
from chalicelib.frame_fields import MAX_CONTENT_BYTES
from chalicelib.http.schema import (
    JsonObject,
    Schema,
    any_of,
    array,
    boolean,
    integer,
    obj,
    optional,
    string,
    timestamp,
)
from chalicelib.models import ContentType


def _some(**members: Schema) -> JsonObject:
    """An object of these members at least."""
    return {key: value for key, value in obj(**members).items() if key != "additionalProperties"}


_SEQ = integer(minimum=1)
ANY_SEQ = integer(minimum=1, maximum=2**53 - 1)  # what every JSON reader takes exactly
ID = string(min_length=1, max_length=64)
_SOURCE = {"conversation_id": ID, "seq": ANY_SEQ}
_REACTION = _some(count=integer(minimum=1), user_ids=array(string()))

ATTACHMENT = _some(id=ID, name=string(), size=integer(minimum=1), content_type=string())
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
    "reply_to": optional(_some(seq=_SEQ, id=ID, sender_id=ID)),
    "mentions": optional({**array(ID), "description": "user ids, or only `all`"}),
    "forwarded_from": optional(_some(sender_id=ID, created_at=timestamp())),
    "expires_at": optional({**timestamp(), "description": "from then on the content is empty"}),
    "attachment": optional(ATTACHMENT),
    "metadata": optional(
        {"type": "object", "description": "what the operator's hook has added, up to 1 KiB"}
    ),
}
MESSAGE = obj(
    "Message",
    id=string(),
    conversation_id=string(),
    sender_id=string(),
    seq=integer(minimum=1),
    type=string(choices=[kind.value for kind in ContentType]),
    content=string(),
    created_at=timestamp(),
    client_msg_id=optional(string()),
    **OPTIONAL_MEMBERS,
)
EMOJI = string(pattern=change_frames.EMOJI, description="an emoji, or a short text without blanks")
CONTENT = string(description=f"at most {MAX_CONTENT_BYTES} bytes of UTF-8")
SENDABLE = [kind.value for kind in ContentType if kind is not ContentType.SYSTEM]


def draft_members(kind: Callable[..., Schema] = obj) -> dict[str, Schema]:
    """The optional members of a message to be sent.

    Args:
        kind: Makes the objects in them, closed as in requests or open as in frames.
    """
    return {
        "reply_to": optional(
            {**ANY_SEQ, "description": "the seq of a message of this conversation"}
        ),
        "mentions": optional(array(ID, max_items=MAX_MENTIONS)),
        "forward_of": optional(kind(**_SOURCE)),
        "expires_in": optional(
            {**integer(minimum=1, maximum=MAX_EXPIRES_IN_SECONDS), "description": "seconds"}
        ),
        "attachment": optional(
            {
                **kind(
                    id=ID,
                    name=optional(string()),
                    size=optional(integer()),
                    content_type=optional(string()),
                ),
                "description": "an upload of mine; only its id counts",
            }
        ),
    }


def draft(title: str, **members: Schema) -> Schema:
    """A message in a request: with a content, or with the message that it forwards instead."""
    options = draft_members()
    del options["forward_of"]
    members |= {
        "client_msg_id": optional(ID),
        "content_type": optional(string(choices=SENDABLE)),
        **options,
    }
    none = string(choices=("",), description="that of the forwarded message is taken")
    return any_of(
        obj(title, **members, content=CONTENT),
        obj(f"{title}Forwarding", **members, content=optional(none), forward_of=obj(**_SOURCE)),
    )
