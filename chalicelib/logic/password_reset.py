"""A forgotten password: a token that a sender delivers, good once and for half an hour."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import ForbiddenError, InvalidTokenError
from chalicelib.models import User

TOKEN_SECONDS = 1800
RATE = "password-reset"  # for each account, wherever the requests come from
LOCAL = "local"
SENDERS = ("none", "log", "ses")
_MEMBERS = {"sender", "from", "url"}
_PLACE = "{token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPolicy:
    """How tokens are delivered; parameter ``policy/password-reset``.

    Attributes:
        sender: ``none``, ``ses`` or, in the stage ``local`` only, ``log``.
        sender_address: Whom an e-mail is from.
        url: Where the client's page is; ``{token}`` in it is replaced.
    """

    sender: str = "none"
    sender_address: str = ""
    url: str = ""

    def link(self, token: str) -> str:
        """The address that the user opens."""
        return self.url.replace(_PLACE, token)


class Users(Protocol):
    """The stored users."""

    def get(self, user_id: str) -> User | None: ...
    def by_name(self, username: str) -> User | None: ...
    def set_password(self, user: User, password_hash: str) -> bool: ...


class Tokens(Protocol):
    """What tokens are good for; each can be taken once."""

    def put(self, key: str, value: Mapping[str, str], *, expires_at: float) -> None: ...
    def take(self, key: str) -> Mapping[str, str] | None: ...


class Sender(Protocol):
    """Delivers a token; nothing happens where it cannot reach the user."""

    def send(self, user: User, token: str, policy: ResetPolicy) -> None: ...


class Sessions(Protocol):
    """Ends sessions."""

    def end_all(self, user_id: str) -> None: ...


class PasswordResetService:
    """Resets passwords, and tells nobody who has an account."""

    def __init__(
        self,
        *,
        users: Callable[[], Users],
        tokens: Tokens,
        senders: Mapping[str, Sender],
        sessions: Callable[[], Sessions],
        hash_password: Callable[[str], str],
        enqueue: Callable[[Context, str], None],
        policy: Callable[[], ResetPolicy],
        clock: Callable[[], float],
        new_secret: Callable[[], str],
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._senders = senders
        self._sessions = sessions
        self._hash = hash_password
        self._enqueue = enqueue
        self._policy = policy
        self._clock = clock
        self._new_secret = new_secret

    def request(self, ctx: Context, username: str) -> None:
        """Has a token sent; the account is looked for elsewhere, so the time does not tell either.

        Raises:
            ForbiddenError: No sender is configured.
        """
        if self._policy().sender not in self._senders:
            raise ForbiddenError("passwords cannot be reset here: ask an operator")
        self._enqueue(ctx, username)

    def send_token(self, username: str) -> None:
        """Sends the token if there is such a user."""
        user = self._users().by_name(username)
        policy = self._policy()
        sender = self._senders.get(policy.sender)
        if user is None or sender is None:
            return
        token = self._new_secret()
        value = {"user_id": user.id, "password": _digest(user.password_hash)}
        self._tokens.put(_key(token), value, expires_at=self._clock() + TOKEN_SECONDS)
        sender.send(user, token, policy)

    def confirm(self, token: str, new_password: str) -> None:
        """Sets another password and ends every session of the user.

        Raises:
            InvalidTokenError: The token is unknown, was used, is too old, or the password was
                changed since it was made.
        """
        found = self._tokens.take(_key(token))
        user = self._users().get(found["user_id"]) if found else None
        is_current = found and user and found["password"] == _digest(user.password_hash)
        if (
            user is None
            or not is_current
            or not self._users().set_password(user, self._hash(new_password))
        ):
            raise InvalidTokenError("token: it is unknown, was used, or is too old")
        self._sessions().end_all(user.id)


def parse_reset(text: str, stage: str) -> ResetPolicy:
    """The policy.

    Raises:
        ValueError: Something in the document is wrong, or not for this stage.
    """
    document: Any = json.loads(text)
    if not isinstance(document, dict) or document.keys() - _MEMBERS:
        raise ValueError(f"expected an object of {', '.join(sorted(_MEMBERS))}")
    if document.get("sender") not in SENDERS:
        raise ValueError(f"sender: expected one of {', '.join(SENDERS)}")
    if document["sender"] == "log" and stage != LOCAL:
        raise ValueError("sender: log would show secrets, it is for the stage local only")
    policy = ResetPolicy(
        sender=document["sender"],
        sender_address=str(document.get("from", "")),
        url=str(document.get("url", "")),
    )
    if policy.sender == "ses":
        if "@" not in policy.sender_address:
            raise ValueError("from: expected an e-mail address")
        if not policy.url.startswith("https://") or _PLACE not in policy.url:
            raise ValueError("url: expected an https address with {token} in it")
    return policy


def _key(token: str) -> str:
    """256 random bits need no slow hash."""
    return "reset#" + _digest(token)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
