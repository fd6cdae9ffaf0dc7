"""Who is connected: opening, closing, cutting off."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import UnauthorizedError, UnavailableError, UserNotFoundError
from chalicelib.logic.receivers import GRACE_SECONDS
from chalicelib.models import (
    WORLD,
    Connection,
    Head,
    PresenceState,
    PushResult,
    ShowPresence,
)

logger = logging.getLogger(__name__)

CONNECTION_SECONDS = 2 * 3600 + 600  # API Gateway ends one after two hours; some grace
_CLOSE_ATTEMPTS = 20
_CLOSE_RETRY_SECONDS = 0.05


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


class States(Protocol):
    """What is stored of users' presence."""

    def states(self, user_ids: Iterable[str]) -> Mapping[str, PresenceState]: ...
    def set_away(self, user_id: str, connection_id: str, *, away: bool) -> PresenceState | None: ...
    def set_show_to(self, user_id: str, show_to: ShowPresence) -> PresenceState | None: ...


class Closer(Protocol):
    """Closes connections; GONE is one that is closed, or not yet open."""

    def close(self, connection_ids: Sequence[str]) -> Mapping[str, PushResult]: ...


class Outbox(Protocol):
    """Enqueues commands."""

    def drain(self, connections: Iterable[Connection]) -> None: ...
    def close(self, connections: Sequence[Connection]) -> None: ...
    def presence(self, user_ids: Iterable[str]) -> None: ...
    def presence_later(self, user_ids: Iterable[str]) -> None: ...


class PresenceService:
    """Registers connections, and has friends told who came and went."""

    def __init__(
        self,
        *,
        connections: Connections,
        states: States,
        heads: Heads,
        sessions: Sessions,
        push: Closer,
        outbox: Outbox,
        clock: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._states = states
        self._heads = heads
        self._sessions = sessions
        self._push = push
        self._outbox = outbox
        self._clock = clock
        self._sleep = sleep

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
        self._shut([one for one in evicted if one.expires_at > now])
        if not self._sessions.stands(user_id, device_id, session_id):
            # A log-out between the authorizer and the registration found nothing to close.
            self._connections.remove(user_id, (connection_id,))
            raise UnauthorizedError("the session was revoked")
        self._outbox.drain((connection,))
        self._tell_of(self._state(user_id), self._outbox.presence)

    def disconnect(self, user_id: str, device_id: str | None = None) -> None:
        """Closes the live connections of a device, or all of a user's."""
        item = self._connections.users((user_id,)).get(user_id)
        if item is None:
            return
        going = [
            one
            for one in self._connections.connections_in(item)
            if device_id in (None, one.device_id)
        ]
        self._shut(going)  # before they are forgotten: a crash must not leave one open
        self._connections.remove(user_id, [one.id for one in going], seen=True)
        self._tell_of(self._state(user_id), self._outbox.presence)

    def close(self, connections: Sequence[Connection]) -> list[Connection]:
        """Closes connections that could not be closed before; waits a second while they open.

        Returns:
            Those that are to be closed later.
        """
        left = self._close(connections)
        for _ in range(_CLOSE_ATTEMPTS - 1):
            if not left:
                break
            self._sleep(_CLOSE_RETRY_SECONDS)
            left = self._close(left)
        return left

    def disconnected(self, user_id: str, connection_id: str) -> None:
        """Takes note that a connection has ended; who is back in a moment was never away."""
        self._connections.remove(user_id, (connection_id,), seen=True)
        self._tell_of(self._state(user_id), self._outbox.presence_later)

    def look(self, user_id: str, connection_id: str, *, away: bool) -> None:
        """Takes note whether somebody looks at a connection."""
        state = self._states.set_away(user_id, connection_id, away=away)
        self._tell_of(state, self._outbox.presence)

    def show_to(self, user_id: str, show_to: ShowPresence) -> None:
        """Decides who may know whether a user is there.

        Raises:
            UserNotFoundError: There is no such user.
        """
        state = self._states.set_show_to(user_id, show_to)
        if state is None:
            raise UserNotFoundError
        self._tell_of(state, self._outbox.presence)

    def shows_to(self, user_id: str) -> ShowPresence:
        """Who may know."""
        state = self._state(user_id)
        return state.show_to if state else ShowPresence.EVERYBODY

    def _state(self, user_id: str) -> PresenceState | None:
        return self._states.states((user_id,)).get(user_id)

    def _tell_of(
        self, state: PresenceState | None, enqueue: Callable[[Iterable[str]], None]
    ) -> None:
        if state is None or state.shown is state.told:
            return
        try:
            enqueue((state.user_id,))
        except UnavailableError as error:  # nobody stays out or in because friends are not told
            logger.warning("friends are not told", extra={"error": str(error)})

    def _shut(self, connections: Sequence[Connection]) -> None:
        if left := self._close(connections):
            self._outbox.close(left)

    def _close(self, connections: Sequence[Connection]) -> list[Connection]:
        """Closes; what is left is behind a service that is away, or may be just opening."""
        results = self._push.close([one.id for one in connections])
        now = self._clock()
        return [
            one
            for one in connections
            if (results[one.id] is PushResult.FAILED and one.expires_at > now)
            or (results[one.id] is PushResult.GONE and now - one.connected_at < GRACE_SECONDS)
        ]
