"""The entities, as values without behaviour beyond their own rules."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
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


class PushResult(Enum):
    """What became of the posts to one connection."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account (requirement IM-2)."""

    id: str
    username: str
    password_hash: str
    created_at: datetime
    updated_at: datetime
    nickname: str = ""
    avatar: str = ""
    signature: str = ""
    gender: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A log-in on one device; a new log-in there makes a new session (requirement APP-3).

    Attributes:
        id: Also the family of its refresh tokens: any of them but the newest is spent.
        refresh_hash: SHA-256 of the newest refresh token's secret.
    """

    id: str
    user_id: str
    device_id: str
    refresh_hash: str
    created_at: float  # Unix seconds, as the two below
    used_at: float
    expires_at: float
    device_name: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One live WebSocket connection of a user's device."""

    id: str
    user_id: str
    device_id: str
    session_id: str
    connected_at: float  # Unix seconds
    expires_at: float  # Unix seconds: API Gateway has ended it by then


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """How many messages a day had, as far as one partition of EVENTS was read.

    Attributes:
        day: ``2026-11-21``, in UTC.
        source: The partition, ``EVENTS-3``.
        offset: The last event that is counted, -1 for none.
        messages: By type of conversation.
    """

    day: str
    source: str
    offset: int = -1
    messages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange:
    """A circuit breaker of some process changed its state.

    Attributes:
        name: The breaker's.
        old_state: ``closed``, ``open`` or ``half-open``.
        new_state: The same.
        process: The function's name, or that of the worker's host.
        at: Unix seconds.
    """

    name: str
    old_state: str
    new_state: str
    process: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Keeps a user out until a time, or for good (requirement APP-16).

    Attributes:
        user_id: Who is banned.
        banned_by: Who did it.
        banned_at: Unix seconds.
        until: The same; None for good.
        reason: For operators; the user is not told.
    """

    user_id: str
    banned_by: str
    banned_at: float
    until: float | None = None
    reason: str = ""

    def holds(self, now: float) -> bool:
        """Whether it has not ended."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an operator tells everybody who is connected."""

    id: str
    content: str
    created_at: str  # RFC 3339; kept as text, for it is only ever passed on


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record of Kafka that was put aside, for it could not succeed (requirement APP-14).

    Attributes:
        topic: With the two below its place in Kafka.
        partition: The same.
        offset: The same.
        parked_at: Unix seconds.
        error: Why.
        name: The task's or event's; empty where the record could not be read.
        key: The record's.
        args: Arguments or payload, JSON text.
        trace_id: Of the request that caused it.
        raw: The record's value, where it could not be read.
        version: The event's.
        listener: Which listener gave up; the others have taken the event.
        idempotency_key: The task's.
        truncated: What was too long to keep, with the bytes that it had.
    """

    topic: str
    partition: int
    offset: int
    parked_at: float
    error: str
    name: str = ""
    key: str = ""
    args: str = "{}"
    trace_id: str = ""
    raw: bytes = b""
    version: str = ""
    listener: str = ""
    idempotency_key: str = ""
    truncated: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its place in words, and the listener: ``EVENTS-3-42~statistics``."""
        listener = f"~{self.listener}" if self.listener else ""
        return f"{self.topic}-{self.partition}-{self.offset}{listener}"

    @property
    def lost(self) -> list[str]:
        """What a replay needs and was cut."""
        return sorted(self.truncated.keys() - {"error", "trace_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What an operator did.

    Attributes:
        id: Of this entry.
        at: RFC 3339.
        actor: A user's id, or ``cli:`` and the name of the account on the machine.
        action: What, for example ``ban``.
        target: To whom or what.
        trace_id: Of the request.
        result: ``started`` until it is ``done``, or the code of the error.
        details: What else was said, for example the reason.
    """

    id: str
    at: str
    actor: str
    action: str
    target: str
    trace_id: str
    result: str
    details: Mapping[str, str] = field(default_factory=dict)


class RequestStatus(StrEnum):
    """What became of a friend request."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendRequest:
    """Somebody asks somebody to be friends (requirement APP-4)."""

    id: str
    sender_id: str
    receiver_id: str
    created_at: str
    updated_at: str
    message: str = ""
    status: RequestStatus = RequestStatus.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """A friend as one of the two sees them; ``remark`` is what they call them."""

    user_id: str
    created_at: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whom a user has blocked."""

    user_id: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """How two users stand; the one place that says so, everything else follows it.

    Attributes:
        users: The two, in order of their ids.
        version: How often it was changed.
        requests: The ids of pending friend requests, by who sent them.
        blocked_by: Who of the two has blocked the other.
    """

    users: tuple[str, str]
    version: int = 0
    friends: bool = False
    requests: Mapping[str, str] = field(default_factory=dict)
    blocked_by: frozenset[str] = frozenset()

    def is_blocked(self, user_id: str) -> bool:
        """Whether the other one has blocked this user."""
        return bool(self.blocked_by - {user_id})


def rfc3339(moment: float) -> str:
    """Formats Unix seconds as RFC 3339 UTC with milliseconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def unix_seconds(text: str) -> float:
    """Reads RFC 3339.

    Raises:
        ValueError: It is no time, or one without a zone.
    """
    moment = datetime.fromisoformat(text)
    if "T" not in text or moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone, found {text!r}")
    try:
        return moment.astimezone(UTC).timestamp()
    except OverflowError as error:
        raise ValueError(f"expected a time of this era, found {text!r}") from error


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
    digest = hashlib.blake2b(key, digest_size=15).digest()
    return "m" + b32encode(digest).decode().lower()
