"""What stands beside this system: receivers of webhooks, and bots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class WebhookEvent(StrEnum):
    """What a receiver may be told of; those of groups are the system lines of a conversation."""

    MESSAGE_STORED = "message.stored"
    MESSAGE_EDITED = "message.edited"
    MESSAGE_RECALLED = "message.recalled"
    MESSAGE_REACTED = "message.reacted"
    GROUP_CREATED = "group.created"
    GROUP_UPDATED = "group.updated"
    GROUP_TRANSFERRED = "group.transferred"
    GROUP_DISMISSED = "group.dismissed"
    MEMBER_ADDED = "group.member_added"
    MEMBER_JOINED = "group.member_joined"
    MEMBER_LEFT = "group.member_left"
    MEMBER_REMOVED = "group.member_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver that an operator has added.

    Attributes:
        url: Where events are posted to.
        secret: What posts are signed with, ``whsec_`` and base64; shown once, never logged.
        events: Which ones, by the names of `WebhookEvent`.
        active: Nothing is posted while it is not.
        old_secret: The one before; posts are signed with it too,
        old_secret_until: until then (Unix seconds).
    """

    id: str
    url: str
    secret: str
    events: tuple[str, ...]
    created_at: str
    created_by: str
    description: str = ""
    active: bool = True
    old_secret: str = ""
    old_secret_until: float = 0.0


class Hears(StrEnum):
    """Which messages of its groups a bot gets."""

    ALL = "all"
    MENTIONS = "mentions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """An account that a program speaks for.

    Attributes:
        user_id: Of the account.
        token_digest: SHA-256 of its token's secret.
        url: Where its messages are posted to; empty where it listens on a connection only.
        secret: As of a webhook.
        hears: Which messages of its groups; those of its direct conversations it always gets.
        hears_bots: Whether those that bots wrote are among them.
    """

    user_id: str
    username: str
    token_digest: str
    created_at: str
    created_by: str
    url: str = ""
    secret: str = ""
    hears: Hears = Hears.MENTIONS
    hears_bots: bool = False


class TargetKind(StrEnum):
    """Who a post is for."""

    WEBHOOK = "webhook"
    BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPost:
    """One message that one receiver is to be told of; its content is read when it is posted.

    Attributes:
        target: What kind of receiver it is.
        target_id: A webhook's id, or a bot's user id; also the record's key.
        event: Of `WebhookEvent`.
        change: Of a message that was changed what `MessagesChanged` says of that.
    """

    target: TargetKind
    target_id: str
    event: str
    conversation_id: str
    conversation_type: str
    seq: int
    change: Mapping[str, Any] = field(default_factory=dict)
