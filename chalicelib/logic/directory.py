"""Who exists, remembered for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from chalicelib.errors import UnavailableError

MAX_AGE_SECONDS = 5.0  # the contract: a change is in force for everyone within 5 s
_MAX_ENTRIES = 10_000


class Users(Protocol):
    """The stored items of users."""

    def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Directory:
    """Looks users up; that one exists is remembered, that one does not is asked again."""

    def __init__(self, users: Users, clock: Callable[[], float]) -> None:
        self._users = users
        self._clock = clock
        self._seen: dict[str, float] = {}

    def exists(self, user_id: str) -> bool:
        """Whether there is such a user.

        While the store is away, who was seen before still exists: messages to them are accepted,
        for Kafka alone has to take these.

        Raises:
            UnavailableError: The store is away, and the user was not seen here.
        """
        now = self._clock()
        if self._seen.get(user_id, 0.0) > now:
            return True
        try:
            item = self._users.users((user_id,)).get(user_id)
            if item is None or "deleted_at" in item:
                self._seen.pop(user_id, None)
                return False
        except UnavailableError:
            if user_id in self._seen:
                return True
            raise
        if len(self._seen) >= _MAX_ENTRIES:
            self._seen.clear()
        self._seen[user_id] = now + MAX_AGE_SECONDS
        return True

    def existed(self, user_id: str) -> bool:
        """Whether there is such a user, or was: what one wrote stays readable.

        Raises:
            UnavailableError: The store is away, and the user was not seen here.
        """
        return self.exists(user_id) or user_id in self._users.users((user_id,))
