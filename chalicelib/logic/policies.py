"""Product policies: documents in the configuration centre that change without a deployment."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, fields

logger = logging.getLogger(__name__)


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
    """Who may write to whom; parameter ``policy/messages``."""

    strangers_may_write: bool = True


def parse_messages(text: str) -> MessagePolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    value = document.get("strangers_may_write", True)
    if not isinstance(value, bool):
        raise ValueError("strangers_may_write: expected true or false")  # noqa: TRY004
    return MessagePolicy(strangers_may_write=value)
