"""Changing messages over REST: the same services as the frames `edit`, `recall` and `react`."""

from __future__ import annotations

import json

from chalicelib import bootstrap_changes as changes
from chalicelib.change_frames import emoji_of
from chalicelib.errors import (
    BlockedError,
    ConversationNotFoundError,
    ForbiddenError,
    InvalidFieldError,
    LimitReachedError,
    MessageNotFoundError,
    MutedError,
    NotFriendsError,
    NotMemberError,
    TooLargeError,
    TooLateError,
    UserNotFoundError,
)
from chalicelib.frame_fields import content_of
from chalicelib.http import paging
from chalicelib.http.message_schema import CONTENT, MESSAGE
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import JsonObject, integer, obj, page_of, string, timestamp

api = Api("changes")

_MESSAGE = "/v1/conversations/{conversation_id}/messages/{seq}"
_PINS = "/v1/conversations/{conversation_id}/pins"
_ACCESS = (ConversationNotFoundError, NotMemberError, MessageNotFoundError)
_WRITE = (*_ACCESS, BlockedError, NotFriendsError, MutedError, UserNotFoundError)
_ACCEPTED = obj("ChangeAccepted", conversation_id=string(), seq=integer(minimum=1))
_PIN = obj(
    "Pin", seq=integer(minimum=1), pinned_by=string(), pinned_at=timestamp(), message=MESSAGE
)


@api.route(
    "PATCH",
    _MESSAGE,
    summary="Gives my message another content: the same as the frame `edit`.",
    body=obj("MessageEdit", content=CONTENT),
    status=202,
    answer=_ACCEPTED,
    errors=(*_WRITE, ForbiddenError, TooLateError, TooLargeError),
)
def edit(call: Call) -> JsonObject:
    """Answers once Kafka has the edit."""
    room, seq = _place(call)
    changes.changes().edit(call.ctx, call.user_id, room, seq, content_of(call.body))
    return _accepted(room, seq)


@api.route(
    "POST",
    f"{_MESSAGE}/recall",
    summary="Takes a message back: the same as the frame `recall`.",
    status=202,
    answer=_ACCEPTED,
    errors=(*_ACCESS, ForbiddenError, TooLateError),
)
def recall(call: Call) -> JsonObject:
    """Answers once Kafka has the recall."""
    room, seq = _place(call)
    changes.changes().recall(call.ctx, call.user_id, room, seq)
    return _accepted(room, seq)


@api.route(
    "PUT",
    _MESSAGE + "/reactions/{emoji}",
    summary="Reacts to a message: the same as the frame `react`.",
    status=202,
    answer=_ACCEPTED,
    errors=(*_WRITE, ForbiddenError, InvalidFieldError, LimitReachedError),
)
def react(call: Call) -> JsonObject:
    """Answers once Kafka has the reaction."""
    return _react(call, remove=False)


@api.route(
    "DELETE",
    _MESSAGE + "/reactions/{emoji}",
    summary="Takes a reaction back.",
    status=202,
    answer=_ACCEPTED,
    errors=(*_WRITE, ForbiddenError, InvalidFieldError),
)
def take_back_reaction(call: Call) -> JsonObject:
    """Answers once Kafka has that."""
    return _react(call, remove=True)


@api.route(
    "DELETE",
    _MESSAGE,
    summary="Deletes a message for me; the others keep it.",
    status=204,
    errors=_ACCESS,
)
def delete_for_me(call: Call) -> None:
    """For the caller a tombstone stays."""
    changes.hiding().hide(call.user_id, *_place(call))


@api.route(
    "GET",
    _PINS,
    summary="The pinned messages, the newest first: at most 50.",
    answer=page_of("Pins", _PIN),
    errors=(ConversationNotFoundError, NotMemberError),
)
def pins(call: Call) -> Answer:
    """All of them on one page."""
    found = changes.pins().pinned(call.user_id, call.path["conversation_id"])
    items = [
        {
            "seq": pin.seq,
            "pinned_by": pin.pinned_by,
            "pinned_at": pin.pinned_at,
            "message": json.loads(placed.text),
        }
        for pin, placed in found
    ]
    return Answer(body=paging.page(items, "pins"))


@api.route(
    "PUT",
    _PINS + "/{seq}",
    summary="Pins a message for everybody.",
    status=204,
    errors=(*_ACCESS, ForbiddenError, LimitReachedError),
)
def pin(call: Call) -> None:
    """Pinning it again changes nothing."""
    changes.pins().pin(call.user_id, *_place(call))


@api.route(
    "DELETE",
    _PINS + "/{seq}",
    summary="Unpins a message.",
    status=204,
    errors=(*_ACCESS, ForbiddenError),
)
def unpin(call: Call) -> None:
    """Unpinning what is not pinned changes nothing."""
    changes.pins().unpin(call.user_id, *_place(call))


def _react(call: Call, *, remove: bool) -> JsonObject:
    room, seq = _place(call)
    emoji = emoji_of(call.path["emoji"])
    changes.changes().react(call.ctx, call.user_id, room, seq, emoji, remove=remove)
    return _accepted(room, seq)


def _place(call: Call) -> tuple[str, int]:
    text = call.path["seq"]
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text)):
        raise MessageNotFoundError
    return call.path["conversation_id"], int(text)


def _accepted(conversation_id: str, seq: int) -> JsonObject:
    return {"conversation_id": conversation_id, "seq": seq}
