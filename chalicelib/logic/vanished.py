"""Finding connections that ended without a word.

API Gateway closes a connection that was idle for ten minutes, but its `$disconnect` is best
effort. So now and then it is asked of every registered connection whether there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.models import Connection, PushResult

CHUNK = 500  # connections that are asked about at once: about a second
_SETTLED_SECONDS = 600.0  # API Gateway ends none for being idle before that


class Connections(Protocol):
    """The stored connections."""

    def registered(self) -> list[Connection]: ...
    def remove(
        self, user_id: str, connection_ids: Iterable[str], *, seen: bool = False
    ) -> None: ...


class Push(Protocol):
    """Asks which connections there are."""

    def look(self, connection_ids: Sequence[str]) -> Mapping[str, PushResult]: ...


class VanishedService:
    """Removes what is registered and gone, and has friends told."""

    def __init__(
        self,
        *,
        connections: Connections,
        push: Push,
        presence: Callable[[Iterable[str]], None],
        clock: Callable[[], float],
    ) -> None:
        self._connections = connections
        self._push = push
        self._presence = presence
        self._clock = clock

    def sweep(self, until: float) -> int:
        """Looks at every connection, the oldest first, or goes on until a time.

        Returns:
            How many were gone.
        """
        now, gone = self._clock(), 0
        settled = sorted(
            (
                one
                for one in self._connections.registered()
                if now - one.connected_at > _SETTLED_SECONDS
            ),
            key=lambda one: one.connected_at,
        )
        for at in range(0, len(settled), CHUNK):
            if self._clock() > until:
                break
            gone += self._remove(settled[at : at + CHUNK])
        return gone

    def _remove(self, chunk: Sequence[Connection]) -> int:
        now = self._clock()
        results = self._push.look([one.id for one in chunk if one.expires_at > now])
        gone = [one for one in chunk if results.get(one.id, PushResult.GONE) is PushResult.GONE]
        for one in gone:
            self._connections.remove(one.user_id, (one.id,), seen=True)
        self._presence(dict.fromkeys(one.user_id for one in gone))
        return len(gone)
