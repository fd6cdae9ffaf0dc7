"""Sessions: one for each device, kept alive by refresh tokens that can be used once.

A refresh token is ``user.device.session.secret``: it says itself where its row is, so no index is
needed. Of each session only the newest secret is good. Another one with the same session id was
good once, or somebody is guessing who has seen an access token of that session; either way the
session ends. This holds too for the later of two refreshes with one token at the same time: it
cannot be told from a thief's, so a client refreshes once at a time (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from chalicelib.errors import BannedError, TokenReusedError, UnauthorizedError
from chalicelib.logic.policies import AuthPolicy
from chalicelib.models import Ban, Session, rfc3339

MAX_PER_USER = 30  # a further device ends the session that was not used for the longest time
_PARTS = 4


class Sessions(Protocol):
    """The stored sessions."""

    def put(self, session: Session) -> None: ...
    def get(self, user_id: str, device_id: str) -> Session | None: ...
    def of_user(self, user_id: str) -> list[Session]: ...
    def rotate(self, session: Session, *, spent_hash: str) -> bool: ...
    def delete(self, user_id: str, device_id: str, *, session_id: str | None = None) -> None: ...


class Bans(Protocol):
    """The stored bans that hold, read strongly."""

    def get(self, user_id: str) -> Ban | None: ...


class Presence(Protocol):
    """Closes live connections, of one device or of all."""

    def disconnect(self, user_id: str, device_id: str | None = None) -> None: ...


class SessionService:
    """Opens, prolongs and ends sessions.

    Args:
        sessions: The table.
        bans: Who may not have one.
        presence: Closes connections.
        policy: How long a session lasts.
        clock: Unix seconds.
        new_id: For sessions.
        new_secret: For refresh tokens.
        forget: Has a device, or all of a user's, notified no longer.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        bans: Bans,
        presence: Presence,
        policy: Callable[[], AuthPolicy],
        clock: Callable[[], float],
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
        forget: Callable[[str, str | None], None],
    ) -> None:
        self._sessions = sessions
        self._bans = bans
        self._presence = presence
        self._policy = policy
        self._clock = clock
        self._new_id = new_id
        self._new_secret = new_secret
        self._forget = forget

    def open(self, user_id: str, *, device_id: str, device_name: str) -> tuple[Session, str]:
        """Begins a session on a device, in place of the one that may be there.

        Returns:
            The session and its first refresh token.

        Raises:
            BannedError: The user is banned.
        """
        now = self._clock()
        secret = self._new_secret()
        session = Session(
            id=self._new_id(),
            user_id=user_id,
            device_id=device_id,
            device_name=device_name,
            refresh_hash=_hash(secret),
            created_at=now,
            used_at=now,
            expires_at=now + self._policy().refresh_token_seconds,
        )
        before = {one.device_id: one for one in self._sessions.of_user(user_id)}
        self._sessions.put(session)
        # After the put: a ban ends the sessions it finds, so one of the two sees the other.
        if ban := self._bans.get(user_id):
            self.end(user_id, device_id)
            until = f" until {rfc3339(ban.until)}" if ban.until is not None else ""
            raise BannedError(f"the account is banned{until}")
        if before.pop(device_id, None):
            self._cut_off(user_id, device_id)
        beyond = max(0, len(before) + 1 - MAX_PER_USER)
        for oldest in sorted(before.values(), key=_by_use)[:beyond]:
            self.end(user_id, oldest.device_id)
        return session, _token(session, secret)

    def refresh(self, token: str) -> tuple[Session, str]:
        """Spends a refresh token.

        Returns:
            The session and its next refresh token.

        Raises:
            TokenReusedError: It was spent before; the session is over now.
            UnauthorizedError: It is none, or its session is over.
        """
        user_id, device_id, session_id, secret = _read(token)
        session = self._sessions.get(user_id, device_id)
        now = self._clock()
        if session is None or session.id != session_id or session.expires_at <= now:
            raise UnauthorizedError("the session is over: log in again")
        next_secret = self._new_secret()
        renewed = replace(
            session,
            refresh_hash=_hash(next_secret),
            used_at=now,
            expires_at=now + self._policy().refresh_token_seconds,
        )
        if not self._sessions.rotate(renewed, spent_hash=_hash(secret)):
            self._sessions.delete(user_id, device_id, session_id=session_id)
            self._cut_off(user_id, device_id)
            raise TokenReusedError("the refresh token was used before: log in again")
        return renewed, _token(renewed, next_secret)

    def end(self, user_id: str, device_id: str) -> None:
        """Ends a device's session: its tokens are refused from now on, its connections close."""
        self._sessions.delete(user_id, device_id)
        self._cut_off(user_id, device_id)

    def end_all(self, user_id: str, *, but: str | None = None) -> None:
        """Ends the sessions of every device, or of every device but one."""
        ended = [one.device_id for one in self._sessions.of_user(user_id) if one.device_id != but]
        for device_id in ended:
            self._sessions.delete(user_id, device_id)
        if but is None:
            self._cut_off(user_id)
            return
        for device_id in ended:
            self._cut_off(user_id, device_id)

    def of_user(self, user_id: str) -> list[Session]:
        """The sessions that stand, the last used first."""
        now = self._clock()
        standing = [one for one in self._sessions.of_user(user_id) if one.expires_at > now]
        return sorted(standing, key=_by_use, reverse=True)

    def _cut_off(self, user_id: str, device_id: str | None = None) -> None:
        """What a device of an ended session has here ends too."""
        self._presence.disconnect(user_id, device_id)
        self._forget(user_id, device_id)


def _by_use(session: Session) -> float:
    return session.used_at


def _hash(secret: str) -> str:
    """A secret of 256 random bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(session: Session, secret: str) -> str:
    return ".".join((session.user_id, session.device_id, session.id, secret))


def _read(token: str) -> list[str]:
    parts = token.split(".")
    if len(parts) != _PARTS or not all(parts):
        raise UnauthorizedError("this is not a refresh token")
    return parts
