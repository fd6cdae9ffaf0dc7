"""Devices that are notified by a mobile platform when their user is offline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PushPlatform(StrEnum):
    """Who carries notifications to a device."""

    FCM = "fcm"  # Firebase Cloud Messaging
    APNS = "apns"  # Apple Push Notification service
    APNS_SANDBOX = "apns_sandbox"  # the same, for apps under development


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDevice:
    """A device that registered a token; the token itself is kept by SNS alone.

    Attributes:
        session_id: Of the session that registered it: it is good as long as that.
        endpoint: The ARN of the SNS endpoint that has the token.
        registered_at: RFC 3339.
    """

    user_id: str
    device_id: str
    session_id: str
    platform: PushPlatform
    endpoint: str
    registered_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushNote:
    """A notification as SNS takes it.

    Attributes:
        endpoint: For which device.
        message: JSON with a text for the platform.
        collapse_id: A later one with the same id takes its place on the device.
    """

    endpoint: str
    message: str
    collapse_id: str
