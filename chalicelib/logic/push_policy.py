"""The document `policy/push`: whether and how offline receivers are notified on their phones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from chalicelib.models import MAX_GROUP_MEMBERS, PushPlatform

_MAX_COLLAPSE_SECONDS = 24 * 3600
_MAX_PLACEHOLDER = 100
_ARN = re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:app/[A-Z_]+/[A-Za-z0-9_.-]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPolicy:
    """How receivers are notified; parameter ``policy/push``.

    Attributes:
        enabled: False stops notifications and new tokens; those that are stored stay.
        applications: The ARNs of SNS platform applications, by platform.
        collapse_seconds: So long after a notification there is no other of that conversation.
        max_group_members: Members of larger groups are not notified.
        show_content: Whether names and text are part of it; platforms and lock screens show them.
        placeholder: The text where they are not, or where the message is no text.
    """

    enabled: bool = True
    applications: Mapping[PushPlatform, str] = field(default_factory=dict)
    collapse_seconds: int = 30
    max_group_members: int = 500
    show_content: bool = False
    placeholder: str = "New message"

    def application(self, platform: PushPlatform) -> str:
        """The ARN for a platform; empty where it is not served."""
        return self.applications.get(platform, "") if self.enabled else ""

    @property
    def is_on(self) -> bool:
        """Whether anybody is notified."""
        return self.enabled and bool(self.applications)


def parse_push(text: str) -> PushPolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    if unknown := document.keys() - {one.name for one in fields(PushPolicy)}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    policy = PushPolicy(**{**document, "applications": _applications(document)})
    for name in ("enabled", "show_content"):
        if not isinstance(getattr(policy, name), bool):
            raise ValueError(f"{name}: expected true or false")  # noqa: TRY004
    for name, most in (
        ("collapse_seconds", _MAX_COLLAPSE_SECONDS),
        ("max_group_members", MAX_GROUP_MEMBERS),
    ):
        value = getattr(policy, name)
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError(f"{name}: expected a whole number, 0 to {most}")
    shown = policy.placeholder
    if not isinstance(shown, str) or not 1 <= len(shown) <= _MAX_PLACEHOLDER:
        raise ValueError(f"placeholder: expected a text of 1 to {_MAX_PLACEHOLDER} characters")
    return policy


def _applications(document: Mapping[str, Any]) -> dict[PushPlatform, str]:
    found = document.get("applications", {})
    known = ", ".join(PushPlatform)
    if not isinstance(found, dict) or found.keys() - set(PushPlatform):
        raise ValueError(f"applications: expected an object with some of {known}")
    for platform, arn in found.items():
        if not (isinstance(arn, str) and _ARN.fullmatch(arn)):
            raise ValueError(f"applications.{platform}: expected an ARN of a platform application")
    return {PushPlatform(platform): arn for platform, arn in found.items()}
