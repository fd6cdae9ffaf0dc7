"""Keeping users out, and letting them in again.

A ban costs no request anything: it ends the sessions, which every request and connect reads
anyway. Only where a session begins is the ban itself read, after the session was stored
(`SessionService.open`): a ban that comes at the same moment either finds that session or is
found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import InvalidFieldError, SelfError, UserNotFoundError
from chalicelib.logic.audit import AuditService
from chalicelib.models import Ban, User, rfc3339

Position = dict[str, Any]


class Bans(Protocol):
    """The stored bans that hold."""

    def put(self, ban: Ban) -> None: ...
    def delete(self, user_id: str) -> None: ...
    def page(self, *, after: Position | None, limit: int) -> tuple[list[Ban], Position | None]: ...


class Users(Protocol):
    """The stored users."""

    def get(self, user_id: str) -> User | None: ...


class Sessions(Protocol):
    """Ends sessions."""

    def end_all(self, user_id: str) -> None: ...


class BanService:
    """Bans users (requirement APP-16)."""

    def __init__(
        self,
        *,
        bans: Bans,
        users: Users,
        sessions: Sessions,
        audit: AuditService,
        clock: Callable[[], float],
    ) -> None:
        self._bans = bans
        self._users = users
        self._sessions = sessions
        self._audit = audit
        self._clock = clock

    def ban(
        self, ctx: Context, user_id: str, *, reason: str = "", until: float | None = None
    ) -> Ban:
        """Cuts a user off and keeps them out; a ban that stands is replaced.

        Raises:
            InvalidFieldError: ``until`` is over.
            SelfError: Operators cannot ban themselves.
            UserNotFoundError: There is no such user.
        """
        now = self._clock()
        shown = None if until is None else rfc3339(until)
        with self._audit.action(ctx, "ban", user_id, reason=reason, until=shown):
            if until is not None and until <= now:
                raise InvalidFieldError.at("until", "expected a time that is to come")
            if user_id == ctx.user:
                raise SelfError("an operator cannot ban themselves")
            if self._users.get(user_id) is None:
                raise UserNotFoundError
            ban = Ban(
                user_id=user_id,
                banned_by=ctx.user or "",
                banned_at=now,
                until=until,
                reason=reason,
            )
            self._bans.put(ban)
            self._sessions.end_all(user_id)
        return ban

    def unban(self, ctx: Context, user_id: str) -> None:
        """Lets a user in again, who has to log in; one who is not banned is no fault."""
        with self._audit.action(ctx, "unban", user_id):
            self._bans.delete(user_id)

    def page(self, *, after: Position | None, limit: int) -> tuple[list[Ban], Position | None]:
        """Some bans that hold, the newest first, and where the next page begins."""
        return self._bans.page(after=after, limit=limit)
