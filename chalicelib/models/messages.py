"""Conversations, their messages and members, and how these are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

WORLD = "world"  # the conversation everybody is in
MAX_INLINE_BYTES = 400  # a last message up to this size stands in the head itself
_DIRECT = "d-"
_TOMBSTONE_KEEPS = frozenset(
    ("id", "conversation_id", "sender_id", "seq", "type", "created_at", "client_msg_id")
)


class ConversationType(StrEnum):
    """What kind of conversation it is."""

    DIRECT = "direct"
    GROUP = "group"
    WORLD = "world"


class Role(StrEnum):
    """What a member of a group may do."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class ContentType(StrEnum):
    """What a message's ``content`` is; ``system`` is written by the server only."""

    TEXT = "text"
    IMAGE = "image"
    FILE = "file"
    AUDIO = "audio"
    VIDEO = "video"
    LOCATION = "location"
    CARD = "card"
    CUSTOM = "custom"
    SYSTEM = "system"


class AckStatus(StrEnum):
    """How far a member has come with a message."""

    DELIVERED = "delivered"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of a conversation (requirement IM-3); ``seq`` is 0 until it is numbered."""

    id: str
    conversation_id: str
    sender_id: str
    content: str
    type: str
    seq: int
    created_at: str  # RFC 3339; kept as text, for it is only ever passed on
    client_msg_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation (requirement IM-4), as its head item has it.

    ``sent`` counts each member's messages in direct conversations: unread counts leave one's own
    messages out with it.
    """

    id: str
    type: ConversationType
    last_seq: int = 0
    last_message: Message | None = None
    created_at: str = ""
    updated_at: str = ""
    sent: Mapping[str, int] = field(default_factory=dict)

    @property
    def last_message_id(self) -> str | None:
        """The id of the newest message."""
        return self.last_message.id if self.last_message else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationMember:
    """How far one member has come (requirement IM-5); ``unread_count`` is computed from it."""

    conversation_id: str
    user_id: str
    read_seq: int = 0
    delivered_seq: int = 0
    role: Role = Role.MEMBER
    own: int = 0  # direct: own messages up to read_seq; else own messages after read_seq
    own_seq: int = 0  # but for direct: the last own message that ``own`` accounts for
    joined_seq: int = 0  # what a member may read begins after it
    muted_until: float = 0.0  # Unix seconds


@dataclass(frozen=True, slots=True)
class Placed:
    """A message with its place in the log; ``text`` is the JSON that clients get.

    The path of a message passes it on as text: it is encoded once, stored and pushed as it is.
    Where it is ``changed``, it or its neighbours may have been edited since: `MessageReader`.
    """

    conversation_id: str
    seq: int
    sender_id: str
    id: str
    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What one conditional put commits: consecutive messages and where they came from."""

    conversation_id: str
    messages: tuple[Placed, ...]
    source: str
    first_offset: int
    last_offset: int
    revision: int = 0  # how often messages of it were blanked
    changed: bool = False  # whether the table of changes has something on a message of it

    @property
    def first_seq(self) -> int:
        """The number of its first message, which is its key."""
        return self.messages[0].seq

    @property
    def last_seq(self) -> int:
        """The number of its last message."""
        return self.messages[-1].seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The derived item that says where a conversation's log ends.

    Attributes:
        digests: Eight bytes for each message after ``sealed_seq``, in order.
        sent: How many messages each member has sent (direct conversations only).
        last: The text of the last message, where it is short enough to stand here.
        changed_seq: The highest number of a message that was changed; ``last`` is not.
    """

    id: str
    type: ConversationType
    last_seq: int = 0
    source: str = ""
    offset: int = -1
    sealed_seq: int = 0
    digests: bytes = b""
    sent: Mapping[str, int] = field(default_factory=dict)
    last: str = ""
    changed_seq: int = 0
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionMark:
    """How far a conversation's old messages were blanked.

    Attributes:
        seq: The first number of the segment to go on with.
        since: No message that stands there or later was created before this (RFC 3339).
    """

    conversation_id: str
    seq: int = 1
    since: str = ""


def is_tombstone(body: Mapping[str, Any]) -> bool:
    """Whether a message, as clients see it, has lost its content."""
    marked = body.get("expires_at") or body.get("recalled")
    return bool(marked) and not body["content"] and not body.get("attachment")


def tombstone(message: Placed, mark: Mapping[str, Any]) -> Placed:
    """What is left of a message: it keeps its number, so that the log has no hole.

    Args:
        message: As it is stored; one that is a tombstone already stays as it is.
        mark: ``{"recalled": True}``, or ``{"expires_at": <the time>}``.
    """
    body = json.loads(message.text)
    if is_tombstone(body):
        return message
    kept = {name: value for name, value in body.items() if name in _TOMBSTONE_KEEPS}
    blank = {**kept, "content": "", **mark}
    return replace(message, text=json.dumps(blank, ensure_ascii=False, separators=(",", ":")))


def direct_id(one: str, other: str) -> str:
    """The id of the direct conversation of two users, whoever asks."""
    return _DIRECT + "-".join(sorted((one, other)))


def direct_members(conversation_id: str) -> tuple[str, str] | None:
    """The two users of a direct conversation, or None when it is not one."""
    if not conversation_id.startswith(_DIRECT):
        return None
    one, _, other = conversation_id[len(_DIRECT) :].partition("-")
    return (one, other) if one and other and one < other else None


def message_id(sender_id: str, conversation_id: str, client_msg_id: str) -> str:
    """The id of a message: the same for every repetition of a send, without a look-up."""
    key = "\0".join((sender_id, conversation_id, client_msg_id)).encode()
    return "m" + hashlib.blake2b(key, digest_size=15).hexdigest()
