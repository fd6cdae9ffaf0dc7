"""New and changed messages of large groups: pushed in chunks of members, each a command.

So a group of thousands holds up nobody else. A chunk only names the messages; who carries it out
reads them from the log, once for all that came for it meanwhile. Where many members are online
they are told how far the conversation has come, and fetch it when they show it.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chalicelib.frames import message_frames, notify_frame, updated_frame
from chalicelib.logic.audiences import Audience
from chalicelib.models import Connection, Placed, PushResult

logger = logging.getLogger(__name__)

CHUNK = 500  # members, on average
NOTIFY_ABOVE = 500  # members online, as a chunk estimates it from its own
MAX_PUSHED = 200  # messages, as of a backlog
MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PushChunk:
    """Consecutive messages of a large group, and some of the members who are to get them.

    Attributes:
        number: Which chunk; users belong to chunks by a hash of their ids, so that nobody is left
            out where others come and go.
        chunks: Of how many.
        user_ids: Only these members of the chunk; none for all.
        attempt: So many posts to these failed before.
        updated: It is one message that was changed, and not new ones.
    """

    conversation_id: str
    first_seq: int
    last_seq: int
    number: int
    chunks: int
    user_ids: Sequence[str] = ()
    attempt: int = 0
    updated: bool = False


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


class Reader(Protocol):
    """Messages as they are now."""

    def after(self, user_id: str, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class LargeGroupService:
    """Pushes chunks; one may come again."""

    def __init__(
        self,
        *,
        audiences: Audiences,
        reader: Reader,
        connections: Connections,
        push: Push,
        bury: Callable[[Iterable[Connection]], None],
        push_later: Callable[[PushChunk], None],
    ) -> None:
        self._audiences = audiences
        self._reader = reader
        self._connections = connections
        self._push = push
        self._bury = bury
        self._push_later = push_later

    def push(self, chunks: Sequence[PushChunk]) -> None:
        """Pushes what several chunks name, to each connection once."""
        audiences = self._audiences.of(dict.fromkeys(one.conversation_id for one in chunks))
        shares: dict[tuple[str, int], list[dict[str, int]]] = {}
        for one in _merged(chunks):
            key, joined = (one.conversation_id, one.chunks), audiences[one.conversation_id].joined
            if key not in shares:
                shares[key] = _shares(joined, one.chunks)
            share = shares[key][one.number]
            named = {user_id: share[user_id] for user_id in one.user_ids if user_id in share}
            self._push_one(one, named if one.user_ids else share)

    def _push_one(self, chunk: PushChunk, joined: Mapping[str, int]) -> None:
        """Pushes to members, of each given the number after which they joined."""
        live = self._connections.live(joined)
        connections = {one.id: one for group in live.values() for one in group}
        frames = self._frames(chunk, joined, online=sum(map(bool, live.values())))
        posts = {key: frames[joined[one.user_id]] for key, one in connections.items()}
        results = self._push.post_all({key: texts for key, texts in posts.items() if texts})
        gone = [key for key, result in results.items() if result is PushResult.GONE]
        self._bury(connections[key] for key in gone)
        failed = {
            connections[key].user_id: None
            for key, result in results.items()
            if result is PushResult.FAILED
        }
        if failed and chunk.attempt + 1 < MAX_ATTEMPTS:
            attempt = chunk.attempt + 1
            self._push_later(replace(chunk, user_ids=tuple(failed), attempt=attempt))
        elif failed:  # they find out with the next message, or when they connect
            details = {"conversation_id": chunk.conversation_id, "users": len(failed)}
            logger.error("messages not delivered", extra=details)

    def _frames(
        self, chunk: PushChunk, joined: Mapping[str, int], *, online: int
    ) -> dict[int, list[str]]:
        """What a member gets, by the number after which they joined."""
        if not online:
            return {}
        after = set(joined.values())
        if chunk.updated:
            return self._updated(chunk, after)
        count = chunk.last_seq - chunk.first_seq + 1
        is_many = not chunk.user_ids and online * chunk.chunks > NOTIFY_ABOVE
        if is_many or count > MAX_PUSHED:
            frame = notify_frame(chunk.conversation_id, chunk.last_seq)
            return {one: [frame] if one < chunk.last_seq else [] for one in after}
        found = self._reader.after("", chunk.conversation_id, chunk.first_seq - 1, count)
        everything = list(message_frames(one.text for one in found))
        return {
            one: everything
            if one < chunk.first_seq
            else list(message_frames(placed.text for placed in found if placed.seq > one))
            for one in after
        }

    def _updated(self, chunk: PushChunk, after: Iterable[int]) -> dict[int, list[str]]:
        """Everybody who may read a changed message gets it: nothing else tells them."""
        found = self._reader.after("", chunk.conversation_id, chunk.first_seq - 1, 1)
        frames = [updated_frame(placed.text) for placed in found]
        return {one: frames if one < chunk.first_seq else [] for one in after}


def chunks_of(
    messages: Sequence[Placed], members: int, *, updated: bool = False
) -> list[PushChunk]:
    """The chunks that are to get messages of a group with so many members.

    Args:
        messages: Consecutive ones; or one that was changed.
        members: How many there are.
        updated: Whether it was.
    """
    chunks = -(-members // CHUNK)
    return [
        PushChunk(
            conversation_id=messages[0].conversation_id,
            first_seq=messages[0].seq,
            last_seq=messages[-1].seq,
            number=number,
            chunks=chunks,
            updated=updated,
        )
        for number in range(chunks)
    ]


def _merged(chunks: Iterable[PushChunk]) -> list[PushChunk]:
    """One for each chunk of a group; those for single users stay as they are."""
    found: dict[tuple[object, ...], PushChunk] = {}
    for one in chunks:
        changed = one.first_seq if one.updated else 0
        key = (one.conversation_id, one.number, one.chunks, changed, *one.user_ids)
        old = found.get(key, one)
        first, last = min(old.first_seq, one.first_seq), max(old.last_seq, one.last_seq)
        attempt = max(old.attempt, one.attempt)
        found[key] = replace(one, first_seq=first, last_seq=last, attempt=attempt)
    return list(found.values())


def _shares(joined: Mapping[str, int], chunks: int) -> list[dict[str, int]]:
    shares: list[dict[str, int]] = [{} for _ in range(chunks)]
    for user_id, after in joined.items():
        shares[zlib.crc32(user_id.encode()) % chunks][user_id] = after
    return shares
