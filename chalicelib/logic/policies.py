"""Product policies: documents in the configuration centre that change without a deployment."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, fields
from typing import Any

from chalicelib.models import WORLD

logger = logging.getLogger(__name__)

_MAX_DAYS = 36_500
MAX_OBJECT_BYTES = 5 * 2**30  # S3 quota: an object that is put at once
_MAX_PENDING = 10_000
_TYPE = re.compile(r"[*]/[*]|[a-z0-9.+-]+/([*]|[a-z0-9.+-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthPolicy:
    """How long tokens are good for, and how often a log-in may fail; parameter ``policy/auth``."""

    access_token_seconds: int = 900
    refresh_token_seconds: int = 30 * 24 * 3600
    login_failures: int = 5  # for one account from one address
    login_failures_seconds: int = 900  # and so long they are remembered


def parse_auth(text: str | None) -> AuthPolicy:
    """Reads the document; what is missing or wrong in it has its default, with a log line."""
    try:
        document = json.loads(text or "{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        logger.error("policy/auth is not a JSON object: the defaults apply")
        document = {}
    chosen = {}
    for field in fields(AuthPolicy):
        value = document.get(field.name, field.default)
        if type(value) is int and value > 0:
            chosen[field.name] = value
        else:
            logger.error(
                "policy/auth: expected a whole number above 0, the default applies",
                extra={"key": field.name, "value": str(value)[:100]},
            )
    return AuthPolicy(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePolicy:
    """What people may do with messages; parameter ``policy/messages``.

    Attributes:
        strangers_may_write: Whether only friends write to each other where it is false.
        edit_seconds: How long a message may be edited; 0 forbids it.
        recall_seconds: How long its sender may recall it; 0 forbids it.
        members_may_pin: In groups; owner and admins always may.
        members_may_mention_all: The same.
    """

    strangers_may_write: bool = True
    edit_seconds: int = 86_400
    recall_seconds: int = 86_400
    members_may_pin: bool = False
    members_may_mention_all: bool = False


def parse_messages(text: str) -> MessagePolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    chosen = {}
    for field in fields(MessagePolicy):
        value = document.get(field.name, field.default)
        if isinstance(field.default, bool) and not isinstance(value, bool):
            raise ValueError(f"{field.name}: expected true or false")  # noqa: TRY004
        if type(field.default) is int and not (type(value) is int and value >= 0):
            raise ValueError(f"{field.name}: expected a whole number of seconds")
        chosen[field.name] = value
    return MessagePolicy(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresencePolicy:
    """Who may see whether somebody is there; parameter ``policy/presence``.

    Attributes:
        strangers_may_see: Also who is no friend and in no conversation with them, where the user
            shows it to everybody.
    """

    strangers_may_see: bool = True


def parse_presence(text: str) -> PresencePolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.keys() - {"strangers_may_see"}:
        raise ValueError("expected a JSON object with strangers_may_see")
    value = document.get("strangers_may_see", True)
    if not isinstance(value, bool):
        raise ValueError("strangers_may_see: expected true or false")  # noqa: TRY004
    return PresencePolicy(strangers_may_see=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How many days messages keep their content, 0 for ever; parameter ``policy/retention``."""

    messages_days: int = 0  # in direct conversations and groups
    world_days: int = 0

    def days(self, conversation_id: str) -> int:
        """Those of one conversation."""
        return self.world_days if conversation_id == WORLD else self.messages_days


def parse_retention(text: str) -> RetentionPolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    if unknown := document.keys() - {field.name for field in fields(RetentionPolicy)}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for name, value in document.items():
        if type(value) is not int or not 0 <= value <= _MAX_DAYS:
            raise ValueError(f"{name}: expected a whole number of days, 0 to {_MAX_DAYS}")
    return RetentionPolicy(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPolicy:
    """What may be uploaded; parameter ``policy/attachments``.

    Attributes:
        max_bytes: Of one file.
        types: Such as ``image/png`` and ``image/*``; ``*/*`` is everything.
    """

    max_bytes: int = 100 * 2**20
    types: tuple[str, ...] = ("*/*",)

    def allows(self, content_type: str) -> bool:
        """Whether files of a type may be uploaded."""
        kind = content_type.partition("/")[0]
        return not {content_type, f"{kind}/*", "*/*"}.isdisjoint(self.types)


def parse_attachments(text: str) -> AttachmentPolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = _known(text, AttachmentPolicy)
    most = document.get("max_bytes", AttachmentPolicy().max_bytes)
    if type(most) is not int or not 1 <= most <= MAX_OBJECT_BYTES:
        raise ValueError(f"max_bytes: expected a whole number, 1 to {MAX_OBJECT_BYTES}")
    types = document.get("types", ["*/*"])
    if not isinstance(types, list) or not types or not all(map(_is_type, types)):
        raise ValueError("types: expected a list such as image/png, image/* and */*")
    return AttachmentPolicy(max_bytes=most, types=tuple(types))


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePolicy:
    """How many messages may wait to be sent; parameter ``policy/scheduled-messages``."""

    max_pending: int = 100  # of one user


def parse_schedule(text: str) -> SchedulePolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    most = _known(text, SchedulePolicy).get("max_pending", SchedulePolicy().max_pending)
    if type(most) is not int or not 1 <= most <= _MAX_PENDING:
        raise ValueError(f"max_pending: expected a whole number, 1 to {_MAX_PENDING}")
    return SchedulePolicy(max_pending=most)


def _known(text: str, policy: type[AttachmentPolicy | SchedulePolicy]) -> dict[str, Any]:
    """The document, which has no other members than the policy."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    if unknown := document.keys() - {field.name for field in fields(policy)}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return document


def _is_type(value: object) -> bool:
    return isinstance(value, str) and _TYPE.fullmatch(value) is not None
