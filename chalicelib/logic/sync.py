"""Catching up: what a user has missed, sent to one connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.frames import message_frames, notify_frame
from chalicelib.logic.access import Access
from chalicelib.logic.receivers import GRACE_SECONDS
from chalicelib.models import (
    WORLD,
    Connection,
    ConversationMember,
    Head,
    Placed,
    PushResult,
    is_group,
)

logger = logging.getLogger(__name__)

MAX_MESSAGES = 1000  # sent for one sync or drain; the client acknowledges and asks again
MAX_ROOM_BACKLOG = 200  # beyond, the client is told the last seq and fetches what it shows
_RETRIES = 20
_RETRY_SECONDS = 0.05


class Heads(Protocol):
    """Where conversations end."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class Reader(Protocol):
    """Messages as a user sees them."""

    def after(self, user_id: str, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...


class Pointers(Protocol):
    """The stored pointers to missed messages."""

    def of_user(self, user_id: str) -> Mapping[str, int]: ...


class Places(Protocol):
    """The stored places of members."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...
    def remove(self, user_id: str, connection_ids: Iterable[str]) -> None: ...


class Sessions(Protocol):
    """Whether a device's session still stands."""

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool: ...


class Push(Protocol):
    """Posts to connections and closes them."""

    def post(self, connection_id: str, *texts: str) -> PushResult: ...
    def close(self, connection_ids: Sequence[str]) -> Mapping[str, PushResult]: ...


@dataclass(frozen=True, slots=True)
class Undrained:
    """Connections that did not take their backlog."""

    opening: Sequence[Connection]
    away: Sequence[Connection]


class SyncService:
    """Sends missed messages, on request and after a connect."""

    def __init__(
        self,
        *,
        access: Access,
        reader: Reader,
        heads: Heads,
        pointers: Pointers,
        places: Places,
        connections: Connections,
        sessions: Sessions,
        push: Push,
        large_groups: Callable[[str], Sequence[str]],
        new_place: Callable[[str, str], ConversationMember],
        clock: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._access = access
        self._reader = reader
        self._heads = heads
        self._pointers = pointers
        self._places = places
        self._connections = connections
        self._sessions = sessions
        self._push = push
        self._large_groups = large_groups
        self._new_place = new_place
        self._clock = clock
        self._sleep = sleep

    def sync(self, user_id: str, connection_id: str, cursors: Mapping[str, int] | None) -> bool:
        """Sends what is missing after the cursors, or the offline backlog without them.

        Returns:
            Whether there is more: ask again with newer cursors.

        Raises:
            ConversationNotFoundError, NotMemberError: A cursor is of no direct conversation of
                theirs; those of groups that they have left are passed over.
        """
        if cursors is None:
            frames, more = self._backlog(user_id)
        else:
            for conversation_id in cursors:
                if not is_group(conversation_id):
                    self._access.check(user_id, conversation_id)
            messages, more = self._missing(user_id, self._access.readable(user_id, cursors))
            frames = list(message_frames(one.text for one in messages))
        if frames:
            self._push.post(connection_id, *frames)
        return more

    def drain(self, connections: Sequence[Connection]) -> Undrained:
        """Sends each connection its user's backlog.

        Returns:
            Those that did not take it: still opening, to be tried again, or behind a service
            that is away, to be tried later.
        """
        opening, away = list(connections), []
        for attempt in range(_RETRIES):
            results = [(one, self._drain(one)) for one in opening]
            away += [one for one, result in results if result is PushResult.FAILED]
            opening = [one for one, result in results if result is PushResult.GONE]
            if not opening:
                break
            if attempt < _RETRIES - 1:
                self._sleep(_RETRY_SECONDS)
        return Undrained(opening, away)

    def _drain(self, connection: Connection) -> PushResult:
        """Sends the backlog, if there is one; GONE means that it may take it in a moment."""
        expired = self._clock() - connection.connected_at > GRACE_SECONDS
        user_id = connection.user_id
        live = self._connections.live((user_id,)).get(user_id, [])
        if all(one.id != connection.id for one in live):
            return PushResult.SENT  # closed meanwhile
        if not self._sessions.stands(user_id, connection.device_id, connection.session_id):
            result = self._push.close((connection.id,))[connection.id]
            done = result is PushResult.SENT or (result is PushResult.GONE and expired)
            # One that is just opening cannot be closed yet, and no batch waits for that.
            return PushResult.SENT if done else PushResult.FAILED
        frames, _ = self._backlog(user_id)
        result = self._push.post(connection.id, *frames) if frames else PushResult.SENT
        if result is PushResult.GONE and expired:
            self._connections.remove(user_id, (connection.id,))
            return PushResult.SENT
        return result

    def _backlog(self, user_id: str) -> tuple[list[str], bool]:
        large = self._large_groups(user_id)
        first = self._pointers.of_user(user_id)
        cursors = {key: seq - 1 for key, seq in first.items() if key not in large}
        messages, more = self._missing(user_id, self._access.readable(user_id, cursors))
        frames = list(message_frames(one.text for one in messages))
        heads = self._heads.get_conversations((WORLD, *large))
        rows = self._places.get((key, user_id) for key in heads)
        for key, head in heads.items():
            row = rows.get((key, user_id))
            if row or key == WORLD:
                frames.extend(self._room(head, row or self._new_place(key, user_id)))
        return frames, more

    def _room(self, head: Head, row: ConversationMember) -> list[str]:
        """Large rooms have no pointers: what is after the last acknowledged message."""
        missed = head.last_seq - row.delivered_seq
        if missed > MAX_ROOM_BACKLOG:
            return [notify_frame(head.id, head.last_seq)]
        found = (
            self._reader.after(row.user_id, head.id, row.delivered_seq, missed)
            if missed > 0
            else []
        )
        return list(message_frames(one.text for one in found))

    def _missing(self, user_id: str, cursors: Mapping[str, int]) -> tuple[list[Placed], bool]:
        messages: list[Placed] = []
        for conversation_id, seq in cursors.items():
            room = MAX_MESSAGES - len(messages)
            found = self._reader.after(user_id, conversation_id, seq, room + 1)
            messages.extend(found[:room])
            if len(found) > room:
                return messages, True
        return messages, False
