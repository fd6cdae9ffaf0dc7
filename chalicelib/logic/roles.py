"""Giving users roles, and taking them away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import InvalidFieldError, UserNotFoundError
from chalicelib.logic.audit import AuditService
from chalicelib.logic.auth import ADMIN
from chalicelib.logic.reports import ROLE as MODERATOR
from chalicelib.models import User

ROLES = (ADMIN, MODERATOR)


class Users(Protocol):
    """The stored users."""

    def get(self, user_id: str) -> User | None: ...
    def set_roles(self, user: User, roles: Sequence[str]) -> bool: ...


class Sessions(Protocol):
    """Ends sessions."""

    def end_all(self, user_id: str) -> None: ...


class RoleService:
    """Sets roles."""

    def __init__(self, users: Users, sessions: Sessions, audit: AuditService) -> None:
        self._users = users
        self._sessions = sessions
        self._audit = audit

    def set(self, ctx: Context, user_id: str, roles: Sequence[str]) -> None:
        """Gives a user these roles and no others; they log in again, for tokens say the roles.

        Raises:
            InvalidFieldError: There is no such role.
            UserNotFoundError: There is no such user.
        """
        with self._audit.action(ctx, "roles.set", user_id, roles=" ".join(roles) or "none"):
            if unknown := set(roles) - set(ROLES):
                message = f"expected some of {', '.join(ROLES)}, not {', '.join(sorted(unknown))}"
                raise InvalidFieldError.at("roles", message)
            user = self._users.get(user_id)
            if user is None or not self._users.set_roles(user, roles):
                raise UserNotFoundError
            self._sessions.end_all(user_id)
