"""Telling everybody that messages changed: a hint, for reading them again says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from chalicelib.frames import updated_frame
from chalicelib.logic.audiences import Audience
from chalicelib.logic.large_groups import CHUNK, PushChunk, chunks_of
from chalicelib.models import WORLD, Connection, Placed, PushResult


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...
    def online(self) -> list[Connection]: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class Updates:
    """Pushes ``updated`` frames."""

    def __init__(
        self,
        *,
        audiences: Audiences,
        connections: Connections,
        push: Push,
        push_chunks: Callable[[Iterable[PushChunk]], None],
    ) -> None:
        self._audiences = audiences
        self._connections = connections
        self._push = push
        self._push_chunks = push_chunks

    def push(self, placed: Sequence[Placed]) -> None:
        """Pushes messages to every live connection of every member who may read them.

        To large groups others do, in chunks.
        """
        audiences = self._audiences.of({one.conversation_id for one in placed} - {WORLD})
        chunks: list[PushChunk] = []
        for one in placed:
            audience = audiences.get(one.conversation_id)
            if audience and audience.large:
                chunks += chunks_of((one,), len(audience.joined), updated=True)
                continue
            frames = (updated_frame(one.text),)
            for some in self._connections_for(one, audiences):
                self._push.post_all({connection.id: frames for connection in some})
        if chunks:
            self._push_chunks(chunks)

    def _connections_for(
        self, placed: Placed, audiences: Mapping[str, Audience]
    ) -> Iterator[list[Connection]]:
        if placed.conversation_id == WORLD:
            yield self._connections.online()
            return
        joined = audiences[placed.conversation_id].joined
        users = [user_id for user_id, after in joined.items() if after < placed.seq]
        for at in range(0, len(users), CHUNK):
            live = self._connections.live(users[at : at + CHUNK])
            yield [one for group in live.values() for one in group]
