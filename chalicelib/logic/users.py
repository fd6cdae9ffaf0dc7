"""Profiles."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from chalicelib.errors import UserNotFoundError
from chalicelib.models import User

# What a name may begin with (chalicelib/http/users.py), in the order of the index.
_INITIALS = sorted(string.ascii_lowercase + string.digits + "_.-")


class Users(Protocol):
    """The stored users."""

    def get(self, user_id: str) -> User | None: ...
    def set_profile(self, user: User) -> bool: ...
    def search(self, prefix: str, *, after: str, limit: int) -> list[User]: ...


class UserService:
    """Reads and changes profiles."""

    def __init__(self, users: Users, clock: Callable[[], float]) -> None:
        self._users = users
        self._clock = clock

    def get(self, user_id: str) -> User:
        """A user.

        Raises:
            UserNotFoundError: There is no such user.
        """
        user = self._users.get(user_id)
        if user is None:
            raise UserNotFoundError(f"there is no user {user_id}")
        return user

    def update(self, user_id: str, changes: Mapping[str, Any]) -> User:
        """Changes members of a profile.

        Args:
            user_id: Whose.
            changes: Some of ``nickname``, ``avatar``, ``signature``, ``gender``.

        Raises:
            UserNotFoundError: There is no such user.
        """
        now = datetime.fromtimestamp(self._clock(), UTC)
        user = replace(self.get(user_id), updated_at=now, **changes)
        if not self._users.set_profile(user):
            raise UserNotFoundError(f"there is no user {user_id}")
        return user

    def search(self, query: str, *, after: str, limit: int) -> tuple[list[User], str | None]:
        """Users whose name begins with ``query``, whatever its case, in order of their names.

        Returns:
            One page, and the name to go on after, None at the end.
        """
        found = self._users.search(query.lower(), after=after, limit=limit + 1)
        page = found[:limit]
        return page, page[-1].username.lower() if len(found) > limit else None

    def everybody(self, *, after: str | None, limit: int) -> tuple[list[User], str | None]:
        """All users, in order of their names.

        Returns:
            One page, and the name to go on after, None at the end.
        """
        found: list[User] = []
        for initial in _INITIALS:
            if after is None or after[:1] <= initial:
                name = after if after and after[:1] == initial else ""
                room = limit + 1 - len(found)
                found += self._users.search(initial, after=name, limit=room)
                if len(found) > limit:
                    return found[:limit], found[limit - 1].username.lower()
        return found, None
