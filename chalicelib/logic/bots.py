"""Bots: accounts that programs speak for, made and administered by operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import LimitReachedError, NotFoundError
from chalicelib.logic.audit import AuditService
from chalicelib.logic.bot_tokens import ROLE, token_of
from chalicelib.logic.provisioning_keys import digest_of
from chalicelib.logic.webhooks import new_secret
from chalicelib.models import Bot, Hears, User, rfc3339

MAX_BOTS = 200  # each message is compared with all of them


class Bots(Protocol):
    """The stored bots, read strongly."""

    def all(self) -> list[Bot]: ...
    def get(self, user_id: str) -> Bot | None: ...
    def put(self, bot: Bot, *, new: bool) -> bool: ...
    def delete(self, user_id: str) -> None: ...


class Register(Protocol):
    """Creates an account without a password, or finds the one with this id again."""

    def __call__(
        self, username: str, password: None, /, *, nickname: str, user_id: str, roles: tuple[str]
    ) -> User: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBot:
    """A bot with what is shown once. Secrets: never logged."""

    bot: Bot
    token: str


class BotService:
    """Administers bots; each change is in the audit log.

    Args:
        bots: The table.
        register: Makes accounts.
        disconnect: Closes the connections of a user.
        require: Refuses a URL that may not be called.
        audit: The audit log.
        clock: Unix seconds.
        new_token_secret: Makes the secret of a token.
        random_bytes: Makes so many.
    """

    def __init__(
        self,
        *,
        bots: Bots,
        register: Register,
        disconnect: Callable[[str], None],
        require: Callable[[str], None],
        audit: AuditService,
        clock: Callable[[], float],
        new_token_secret: Callable[[], str],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._bots = bots
        self._register = register
        self._disconnect = disconnect
        self._require = require
        self._audit = audit
        self._clock = clock
        self._new_token_secret = new_token_secret
        self._random_bytes = random_bytes

    def add(
        self,
        ctx: Context,
        *,
        user_id: str,
        username: str,
        nickname: str = "",
        url: str = "",
        hears: Hears = Hears.MENTIONS,
        hears_bots: bool = False,
    ) -> NewBot:
        """Makes a bot and its account; token and webhook secret are in the answer, once.

        Raises:
            InvalidFieldError: The URL may not be called.
            LimitReachedError: There are enough.
            UsernameTakenError: Somebody has the name.
        """
        with self._audit.action(ctx, "bot.add", user_id, username=username):
            if url:
                self._require(url)
            if len(self._bots.all()) >= MAX_BOTS:
                raise LimitReachedError(f"there are {MAX_BOTS} bots: remove one first")
            self._register(username, None, nickname=nickname, user_id=user_id, roles=(ROLE,))
            secret = self._new_token_secret()
            bot = Bot(
                user_id=user_id,
                username=username,
                token_digest=digest_of(secret),
                url=url,
                secret=new_secret(self._random_bytes),
                hears=hears,
                hears_bots=hears_bots,
                created_at=rfc3339(self._clock()),
                created_by=ctx.user or "",
            )
            self._bots.put(bot, new=True)
        return NewBot(bot=bot, token=token_of(user_id, secret))

    def all(self) -> list[Bot]:
        """Every bot."""
        return self._bots.all()

    def change(self, ctx: Context, user_id: str, changes: dict[str, Any]) -> Bot:
        """Changes some of ``url``, ``hears`` and ``hears_bots``.

        Raises:
            NotFoundError: There is no such bot.
            InvalidFieldError: The URL may not be called.
        """
        with self._audit.action(ctx, "bot.change", user_id, members=" ".join(changes)):
            if changes.get("url"):
                self._require(changes["url"])
            return self._replace(user_id, changes)

    def renew_token(self, ctx: Context, user_id: str) -> NewBot:
        """Gives a bot another token; the one before ends at once, with its connections.

        Raises:
            NotFoundError: There is no such bot.
        """
        with self._audit.action(ctx, "bot.renew_token", user_id):
            secret = self._new_token_secret()
            bot = self._replace(user_id, {"token_digest": digest_of(secret)})
            self._disconnect(user_id)
        return NewBot(bot=bot, token=token_of(user_id, secret))

    def remove(self, ctx: Context, user_id: str) -> None:
        """Ends a bot: its token and its posts; what it wrote and its account stay."""
        with self._audit.action(ctx, "bot.remove", user_id):
            self._bots.delete(user_id)
            self._disconnect(user_id)

    def _replace(self, user_id: str, changes: dict[str, Any]) -> Bot:
        old = self._bots.get(user_id)
        new = old and replace(old, **changes)
        if new is None or not self._bots.put(new, new=False):
            raise NotFoundError(f"there is no bot {user_id}")
        return new
