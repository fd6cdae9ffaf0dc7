"""What a notification says, in the words of each platform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.models import ContentType, PushPlatform

_MAX_NAME = 100
_MAX_TEXT = 200  # characters: with names and ids far below the 4 KB of both platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What one receiver is told.

    Attributes:
        message: As clients get it.
        title: Above the text; may be empty.
        badge: How many messages the receiver has not read, for the app's icon.
    """

    message: Mapping[str, Any]
    title: str
    text: str
    badge: int


def wording(
    message: Mapping[str, Any], *, sender: str, group: str, placeholder: str
) -> tuple[str, str]:
    """Title and text of a message that may be shown.

    Args:
        message: As clients get it.
        sender: Who wrote it, by the name that is shown.
        group: The group's name; empty in a direct conversation.
        placeholder: The text of what is no text.
    """
    is_text = message["type"] == ContentType.TEXT
    text = _cut(message["content"], _MAX_TEXT) if is_text else placeholder
    name = _cut(sender, _MAX_NAME)
    return (_cut(group, _MAX_NAME), f"{name}: {text}") if group else (name, text)


def payload(platform: PushPlatform, notification: Notification) -> str:
    """The message for SNS: JSON with the platform's own JSON as a text in it.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
    """
    own = _fcm(notification) if platform is PushPlatform.FCM else _apns(notification)
    key = "GCM" if platform is PushPlatform.FCM else platform.upper()
    return _json({"default": notification.text, key: _json(own)})


def _fcm(one: Notification) -> Mapping[str, Any]:
    """HTTP v1: https://docs.aws.amazon.com/sns/latest/dg/sns-fcm-v1-payloads.html."""
    room = one.message["conversation_id"]
    return {
        "fcmV1Message": {
            "message": {
                "notification": _shown(one),
                # FCM takes texts only.
                "data": {name: str(value) for name, value in _reference(one).items()},
                "android": {
                    "priority": "high",
                    "collapse_key": room,
                    "notification": {"tag": room, "notification_count": one.badge},
                },
            }
        }
    }


def _apns(one: Notification) -> Mapping[str, Any]:
    """https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification."""
    aps = {
        "alert": _shown(one),
        "badge": one.badge,
        "sound": "default",
        "thread-id": one.message["conversation_id"],
    }
    return {"aps": aps, **_reference(one)}


def _shown(one: Notification) -> Mapping[str, str]:
    return {"title": one.title, "body": one.text} if one.title else {"body": one.text}


def _reference(one: Notification) -> Mapping[str, Any]:
    """Where an app finds the message."""
    message = one.message
    return {
        "conversation_id": message["conversation_id"],
        "seq": message["seq"],
        "message_id": message["id"],
        "badge": one.badge,
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
