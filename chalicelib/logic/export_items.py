"""What of each thing stands in an export: nothing that somebody could log in or be notified by."""

from __future__ import annotations

from typing import Any

from chalicelib.models import (
    ConversationMember,
    PushDevice,
    ScheduledMessage,
    Session,
    User,
    direct_members,
    rfc3339,
)

Item = dict[str, Any]


def profile(user: User) -> Item:
    """An account."""
    return {
        "id": user.id,
        "username": user.username,
        "nickname": user.nickname,
        "avatar": user.avatar,
        "signature": user.signature,
        "gender": user.gender,
        "roles": list(user.roles),
        "created_at": rfc3339(user.created_at.timestamp()),
        "updated_at": rfc3339(user.updated_at.timestamp()),
    }


def session(one: Session) -> Item:
    """A device that is logged in."""
    return {
        "device_id": one.device_id,
        "device_name": one.device_name,
        "created_at": rfc3339(one.created_at),
        "last_used_at": rfc3339(one.used_at),
        "expires_at": rfc3339(one.expires_at),
    }


def conversation(row: ConversationMember) -> Item:
    """A place in a conversation."""
    others = [one for one in direct_members(row.conversation_id) or () if one != row.user_id]
    return {
        "id": row.conversation_id,
        **({"user_id": others[0]} if others else {}),
        "role": row.role.value,
        "read_seq": row.read_seq,
        "delivered_seq": row.delivered_seq,
    }


def scheduled_message(one: ScheduledMessage) -> Item:
    """A message that waits."""
    return {
        "id": one.id,
        "status": one.status.value,
        "deliver_at": rfc3339(one.deliver_at),
        "created_at": rfc3339(one.created_at),
        **one.draft,
    }


def push_device(one: PushDevice) -> Item:
    """A phone that is notified."""
    return {
        "device_id": one.device_id,
        "platform": one.platform.value,
        "registered_at": one.registered_at,
    }
