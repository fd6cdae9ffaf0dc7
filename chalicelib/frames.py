"""The WebSocket wire format: text in, typed frames out, and back. No I/O, no clock, no log.

Contract: unknown members are ignored; every error names the field and what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import (
    FieldError,
    IMError,
    InvalidFieldError,
    InvalidJsonError,
    TooLargeError,
    UnknownTypeError,
)
from chalicelib.models import AckStatus, ContentType, Message

MAX_FRAME_BYTES = 32 * 1024  # API Gateway quota: one WebSocket frame
MAX_POST_BYTES = 128 * 1024  # API Gateway quota: one message, by @connections too
MAX_CONTENT_BYTES = 16 * 1024
MAX_MESSAGES_PER_FRAME = 25
MAX_ID_LENGTH = 64
MAX_CURSORS = 1000
_SENDABLE = tuple(kind.value for kind in ContentType if kind is not ContentType.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message as a client hands it in."""

    client_msg_id: str
    content: str
    content_type: str = ContentType.TEXT.value
    conversation_id: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFrame:
    """``send``: one draft, or up to 25 of which each is valid or carries its own error."""

    drafts: tuple[Draft | Rejected, ...]
    batch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One message of a batch that cannot be accepted."""

    client_msg_id: str | None
    error: IMError


@dataclass(frozen=True, slots=True, kw_only=True)
class AckFrame:
    """``ack``: everything up to ``seq`` is delivered or read."""

    conversation_id: str
    seq: int
    status: AckStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFrame:
    """``sync``: the newest ``seq`` known of each conversation, or None for the backlog."""

    cursors: Mapping[str, int] | None


def parse_object(text: str | None) -> dict[str, Any]:
    """Reads a frame as a JSON object.

    Raises:
        InvalidJsonError: It is not one.
    """
    try:
        body = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError("the frame is not JSON") from error
    if not isinstance(body, dict):
        raise InvalidJsonError("the frame is not a JSON object")
    return body


def unknown_type(body: Mapping[str, Any]) -> UnknownTypeError:
    """The error for a frame whose ``type`` no route takes."""
    kind = body.get("type")
    if kind is None:
        return UnknownTypeError("type: expected the name of a frame, the member is missing")
    return UnknownTypeError(f"type: {str(kind)[:MAX_ID_LENGTH]!r} is not a frame that clients send")


def parse_send(body: Mapping[str, Any]) -> SendFrame:
    """Reads a ``send`` frame.

    Raises:
        InvalidFieldError: A field of the single message, or ``messages`` itself, is wrong.
        TooLargeError: The content is longer than 16 KiB.
    """
    if "messages" not in body:
        return SendFrame(drafts=(parse_draft(body),), batch=False)
    messages = body["messages"]
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_MESSAGES_PER_FRAME:
        raise _invalid("messages", f"expected a list of 1 to {MAX_MESSAGES_PER_FRAME} messages")
    return SendFrame(drafts=tuple(map(_draft_or_rejection, messages)), batch=True)


def parse_draft(body: Mapping[str, Any]) -> Draft:
    """Reads the members of one message to be sent.

    Raises:
        InvalidFieldError: A field is missing or wrong.
        TooLargeError: The content is longer than 16 KiB.
    """
    if ("conversation_id" in body) == ("to" in body):
        raise _invalid("conversation_id", "expected either conversation_id or to")
    kind = body.get("content_type", ContentType.TEXT.value)
    if kind not in _SENDABLE:
        raise _invalid("content_type", "expected one of " + ", ".join(_SENDABLE))
    return Draft(
        client_msg_id=_id(body, "client_msg_id"),
        content=_content(body),
        content_type=kind,
        conversation_id=_id(body, "conversation_id") if "conversation_id" in body else "",
        to=_id(body, "to") if "to" in body else "",
    )


def parse_ack(body: Mapping[str, Any]) -> AckFrame:
    """Reads an ``ack`` frame.

    Raises:
        InvalidFieldError: A field is missing or wrong.
    """
    try:
        status = AckStatus(str(body.get("status")))
    except ValueError as error:
        raise _invalid("status", "expected delivered or read") from error
    return AckFrame(
        conversation_id=_id(body, "conversation_id"), seq=_seq(body, "seq"), status=status
    )


def parse_sync(body: Mapping[str, Any]) -> SyncFrame:
    """Reads a ``sync`` frame.

    Raises:
        InvalidFieldError: ``cursors`` is not an object of sequence numbers.
    """
    cursors = body.get("cursors")
    if cursors is None:
        return SyncFrame(cursors=None)
    if not isinstance(cursors, dict) or len(cursors) > MAX_CURSORS:
        raise _invalid("cursors", f"expected an object of at most {MAX_CURSORS} members")
    for conversation_id in cursors:
        if not 1 <= len(conversation_id) <= MAX_ID_LENGTH:
            raise _invalid("cursors", f"expected ids of 1 to {MAX_ID_LENGTH} characters")
    return SyncFrame(cursors={key: _seq(cursors, key, "cursors.") for key in cursors})


def reference(body: Mapping[str, Any], *names: str) -> str | None:
    """What an answer repeats of the frame: the first of ``names`` that is a short string."""
    for name in names or ("ref",):
        value = body.get(name)
        if isinstance(value, str) and 1 <= len(value) <= MAX_ID_LENGTH:
            return value
    return None


def answer(kind: str, body: Mapping[str, Any], /, **members: Any) -> str:
    """An answer to the frame ``body``, with its ``ref`` if it had one."""
    ref = reference(body)
    return dump({"type": kind, **members, **({"ref": ref} if ref else {})})


def error_frame(error: IMError, ref: str | None = None) -> str:
    """The ``error`` frame for an error."""
    frame: dict[str, Any] = {"type": "error", "code": error.code, "message": str(error)}
    if ref:
        frame["ref"] = ref
    if error.retry_after is not None:
        frame["retry_after"] = error.retry_after
    return dump(frame)


def event_frame(event: str, data: Mapping[str, Any]) -> str:
    """The ``event`` frame that tells a client what changed."""
    return dump({"type": "event", "event": event, "data": data})


def message_body(message: Message) -> dict[str, Any]:
    """A message as clients see it, in frames and in REST answers."""
    body = {
        "id": message.id,
        "conversation_id": message.conversation_id,
        "sender_id": message.sender_id,
        "seq": message.seq,
        "type": message.type,
        "content": message.content,
        "created_at": message.created_at,
        **message.extra,
    }
    if message.client_msg_id:
        body["client_msg_id"] = message.client_msg_id
    return body


def message_frames(bodies: Iterable[str], *, limit: int = MAX_FRAME_BYTES) -> Iterator[str]:
    """Packs messages, each already JSON, into as few ``messages`` frames as hold them.

    A frame stays within ``limit`` bytes unless a single message is larger than that.
    """
    head, tail = '{"type":"messages","messages":[', "]}"
    room = limit - len(head) - len(tail)
    taken: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode()) + 1
        if taken and size + length > room:
            yield head + ",".join(taken) + tail
            taken, size = [], 0
        taken.append(body)
        size += length
    if taken:
        yield head + ",".join(taken) + tail


def dump(value: Any) -> str:
    """Compact JSON that keeps Unicode as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check_text(field: str, value: Any) -> str:
    """A string that can be stored and shown.

    Raises:
        InvalidFieldError: It is no string, has a NUL, or half a surrogate pair.
    """
    if not isinstance(value, str):
        raise _invalid(field, "expected a string")
    if "\0" in value:
        raise _invalid(field, "expected text without the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _invalid(field, "expected whole Unicode characters, found half a pair") from error
    return value


def _draft_or_rejection(body: Any) -> Draft | Rejected:
    if not isinstance(body, dict):
        error = _invalid("messages", "expected objects in the list")
        return Rejected(client_msg_id=None, error=error)
    try:
        return parse_draft(body)
    except IMError as error:
        return Rejected(client_msg_id=reference(body, "client_msg_id"), error=error)


def _content(body: Mapping[str, Any]) -> str:
    content = check_text("content", body.get("content"))
    if len(content.encode()) > MAX_CONTENT_BYTES:
        raise TooLargeError(f"content: expected at most {MAX_CONTENT_BYTES} bytes of UTF-8")
    return content


def _id(body: Mapping[str, Any], field: str) -> str:
    value = check_text(field, body.get(field))
    if not 1 <= len(value) <= MAX_ID_LENGTH:
        raise _invalid(field, f"expected 1 to {MAX_ID_LENGTH} characters")
    return value


def _seq(body: Mapping[str, Any], field: str, prefix: str = "") -> int:
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise _invalid(prefix + field, "expected a whole number from 0")
    return value


def _invalid(field: str, expected: str) -> InvalidFieldError:
    errors: Sequence[FieldError] = (FieldError(field=field, message=expected),)
    return InvalidFieldError(f"{field}: {expected}", errors=errors)
