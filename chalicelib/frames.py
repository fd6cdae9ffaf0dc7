"""The WebSocket wire format: text in, typed frames out, and back. No I/O, no clock, no log.

Contract: unknown members are ignored; every error names the field and what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.change_frames import OPTIONS, DraftOptions, parse_options
from chalicelib.errors import IMError, InvalidJsonError, UnknownTypeError
from chalicelib.frame_fields import MAX_CONTENT_BYTES as MAX_CONTENT_BYTES
from chalicelib.frame_fields import MAX_ID_LENGTH as MAX_ID_LENGTH
from chalicelib.frame_fields import content_of, id_of, number_of
from chalicelib.frame_fields import invalid as _invalid
from chalicelib.models import AckStatus, ContentType, Message, PresenceStatus

MAX_FRAME_BYTES = 32 * 1024  # API Gateway quota: one WebSocket frame
MAX_POST_BYTES = 128 * 1024  # API Gateway quota: one message, by @connections too
MAX_MESSAGES_PER_FRAME = 25
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
    options: DraftOptions | None = None


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
    options = None if OPTIONS.isdisjoint(body) else parse_options(body)
    return Draft(
        client_msg_id=id_of(body, "client_msg_id"),
        content="" if options and options.forward_of else content_of(body),
        content_type=kind,
        conversation_id=id_of(body, "conversation_id") if "conversation_id" in body else "",
        to=id_of(body, "to") if "to" in body else "",
        options=options,
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
        conversation_id=id_of(body, "conversation_id"), seq=number_of(body, "seq"), status=status
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
    return SyncFrame(cursors={key: number_of(cursors, key, "cursors.") for key in cursors})


def parse_typing(body: Mapping[str, Any]) -> str:
    """Reads a ``typing`` frame: in which conversation.

    Raises:
        InvalidFieldError: It does not say.
    """
    return id_of(body, "conversation_id")


def parse_presence(body: Mapping[str, Any]) -> PresenceStatus:
    """Reads a ``presence`` frame: whether somebody looks at the connection.

    Raises:
        InvalidFieldError: ``status`` is neither ``online`` nor ``away``.
    """
    for status in (PresenceStatus.ONLINE, PresenceStatus.AWAY):
        if body.get("status") == status.value:
            return status
    raise _invalid("status", "expected online or away")


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


def updated_frame(message: str) -> str:
    """The ``updated`` frame for a message that is JSON already."""
    return f'{{"type":"updated","message":{message}}}'


def notify_frame(conversation_id: str, last_seq: int) -> str:
    """The ``notify`` frame: there are messages up to ``last_seq``, to be fetched when shown."""
    return dump({"type": "notify", "conversation_id": conversation_id, "last_seq": last_seq})


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


def _draft_or_rejection(body: Any) -> Draft | Rejected:
    if not isinstance(body, dict):
        error = _invalid("messages", "expected objects in the list")
        return Rejected(client_msg_id=None, error=error)
    try:
        return parse_draft(body)
    except IMError as error:
        return Rejected(client_msg_id=reference(body, "client_msg_id"), error=error)
