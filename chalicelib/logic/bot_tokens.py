"""Tokens of bots: they have no session, and are good until they are replaced or the bot goes."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Protocol

from chalicelib.errors import UnauthorizedError
from chalicelib.logic.issuers import BOT_SESSION
from chalicelib.logic.provisioning_keys import digest_of
from chalicelib.logic.tokens import BOT_PREFIX, Identity
from chalicelib.models import Ban, Bot

ROLE = "bot"
DEVICE = "bot"


class Bots(Protocol):
    """The stored bots, read strongly."""

    def get(self, user_id: str) -> Bot | None: ...


class Bans(Protocol):
    """The bans that hold, read strongly."""

    def get(self, user_id: str) -> Ban | None: ...


class BotTokens:
    """Establishes which bot is asking, and whether its connections may stand."""

    def __init__(self, bots: Bots, bans: Bans, exists: Callable[[str], bool]) -> None:
        self._bots = bots
        self._bans = bans
        self._exists = exists

    def authenticate(self, token: str) -> Identity:
        """The bot that a token speaks for.

        Raises:
            UnauthorizedError: It is not valid, or the account is banned or gone.
        """
        user_id, _, secret = token.removeprefix(BOT_PREFIX).partition("_")
        bot = self._bots.get(user_id) if user_id else None
        is_right = hmac.compare_digest(digest_of(secret), bot.token_digest if bot else "-")
        if bot is None or not is_right:
            raise UnauthorizedError("the bot's token is not valid")
        if self._bans.get(user_id) or not self._exists(user_id):
            raise UnauthorizedError("the account is banned or gone")
        return Identity(
            user_id=user_id, device_id=DEVICE, session_id=session_of(bot), roles=(ROLE,)
        )

    def stands(self, user_id: str, session_id: str) -> bool:
        """Whether a connection that was opened with a token may stand, read strongly."""
        bot = self._bots.get(user_id)
        is_current = bot is not None and session_of(bot) == session_id
        return is_current and self._bans.get(user_id) is None


def token_of(user_id: str, secret: str) -> str:
    """The token with this secret."""
    return f"{BOT_PREFIX}{user_id}_{secret}"


def session_of(bot: Bot) -> str:
    """Another token is another session."""
    return BOT_SESSION + bot.token_digest[:32]
