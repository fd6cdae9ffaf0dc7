"""Users, their sessions and connections, and what is between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum


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
    email: str = ""  # where a password reset goes; never shown to others


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIdentity:
    """Who a user is to an issuer.

    Attributes:
        issuer: Who vouches for them.
        subject: Who they are there.
        user_id: The account here.
        pending: Whether the account is still to be made.
    """

    issuer: str
    subject: str
    user_id: str
    pending: bool = False


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
class Connection:
    """One live WebSocket connection of a user's device."""

    id: str
    user_id: str
    device_id: str
    session_id: str
    connected_at: float  # Unix seconds
    expires_at: float  # Unix seconds: API Gateway has ended it by then


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRow:
    """A row that says how a user stands to another one: a friend, a block, a request.

    Attributes:
        kind: ``friend``, ``block``, ``received`` or ``sent``.
        id: The other user's, or the request's.
    """

    user_id: str
    other_id: str
    kind: str
    id: str
