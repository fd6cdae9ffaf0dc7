"""Conversations, their messages and members, and how these are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

WORLD = "world"  # the conversation everybody is in
MAX_INLINE_BYTES = 400  # a last message up to this size stands in the head itself
_DIRECT = "d-"


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

    ``sent`` counts each member's messages in small conversations: unread counts leave one's own
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
    own: int = 0  # direct: own messages up to read_seq; world: own messages after read_seq
    own_seq: int = 0  # world: the last own message that ``own`` accounts for
    joined_seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group (requirement IM-6); the world chat room is the one with the id ``world``."""

    id: str
    name: str
    owner_id: str
    avatar: str = ""
    member_count: int = 0
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A message with its place in the log; ``text`` is the JSON that clients get.

    The path of a message passes it on as text: it is encoded once, stored and pushed as it is.
    """

    conversation_id: str
    seq: int
    sender_id: str
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What one conditional put commits: consecutive messages and where they came from."""

    conversation_id: str
    messages: tuple[Placed, ...]
    source: str
    first_offset: int
    last_offset: int

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
        sent: How many messages each member has sent (small conversations only).
        last: The text of the last message, where it is short enough to stand here.
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
    created_at: str = ""
    updated_at: str = ""


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
