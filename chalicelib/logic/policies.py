"""Product policies: documents in the configuration centre that change without a deployment."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, fields

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthPolicy:
    """How long tokens are good for; parameter ``policy/auth``."""

    access_token_seconds: int = 900
    refresh_token_seconds: int = 30 * 24 * 3600


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
                "policy/auth: expected whole seconds above 0, the default applies",
                extra={"key": field.name, "value": str(value)[:100]},
            )
    return AuthPolicy(**chosen)
