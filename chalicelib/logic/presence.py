"""Who is connected: opening, closing, cutting off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import UnauthorizedError
from chalicelib.models import WORLD, Connection, Head, rfc3339

CONNECTION_SECONDS = 2 * 3600 + 600  # API Gateway ends one after two hours; some grace


class Connections(Protocol):
    """The stored connections."""

    def open_user(self, user_id: str, world_seq: int) -> None: ...
    def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...
    def connections_in(self, item: Mapping[str, Any]) -> list[Connection]: ...
    def add(self, connection: Connection) -> list[Connection]: ...
    def remove(
        self, user_id: str, connection_ids: Iterable[str], *, seen: bool = False
    ) -> None: ...


class Heads(Protocol):
    """The stored heads of conversations."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class Sessions(Protocol):
    """Whether a device's session still stands."""

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool: ...


class Closer(Protocol):
    """Closes connections."""

    def close(self, connection_ids: Sequence[str]) -> None: ...


class PresenceService:
    """Registers connections, and knows who has one."""

    def __init__(
        self,
        *,
        connections: Connections,
        heads: Heads,
        sessions: Sessions,
        push: Closer,
        drain: Callable[[Iterable[Connection]], None],
        clock: Callable[[], float],
    ) -> None:
        self._connections = connections
        self._heads = heads
        self._sessions = sessions
        self._push = push
        self._drain = drain
        self._clock = clock

    def register(self, user_id: str) -> None:
        """Prepares a new user: their reading of the world room begins where it stands now."""
        world = self._heads.get_conversations((WORLD,)).get(WORLD)
        self._connections.open_user(user_id, world.last_seq if world else 0)

    def connect(self, user_id: str, device_id: str, session_id: str, connection_id: str) -> None:
        """Registers a connection that API Gateway is about to open, and has its backlog sent.

        Raises:
            UnauthorizedError: The session was revoked meanwhile.
        """
        now = self._clock()
        connection = Connection(
            id=connection_id,
            user_id=user_id,
            device_id=device_id,
            session_id=session_id,
            connected_at=now,
            expires_at=now + CONNECTION_SECONDS,
        )
        evicted = self._connections.add(connection)
        # At once: nothing would reach them any more, whatever becomes of this connect.
        self._push.close([one.id for one in evicted if one.expires_at > now])
        if not self._sessions.stands(user_id, device_id, session_id):
            # A log-out between the authorizer and the registration found nothing to close.
            self._connections.remove(user_id, (connection_id,))
            raise UnauthorizedError("the session was revoked")
        self._drain((connection,))

    def disconnect(self, user_id: str, device_id: str | None = None) -> None:
        """Closes the live connections of a device, or all of a user's."""
        item = self._connections.users((user_id,)).get(user_id)
        if item is None:
            return
        going = [
            one.id
            for one in self._connections.connections_in(item)
            if device_id in (None, one.device_id)
        ]
        self._connections.remove(user_id, going, seen=True)
        self._push.close(going)

    def disconnected(self, user_id: str, connection_id: str) -> None:
        """Takes note that a connection has ended."""
        self._connections.remove(user_id, (connection_id,), seen=True)

    def of(self, user_id: str) -> tuple[str, str | None]:
        """A user's status, ``online`` or ``offline``, and when they were last seen."""
        item = self._connections.users((user_id,)).get(user_id, {"live": {}})
        if item["live"] and self._connections.connections_in(item):
            return "online", None
        last_seen = item.get("last_seen")
        return "offline", rfc3339(last_seen) if last_seen is not None else None
