"""Notices of operators to everybody who is connected.

A notice is enqueued, then spread over chunks of connections, each a command of its own. Who is not
connected at that moment does not get it; a repeated chunk brings it again, with the same id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import TooLargeError
from chalicelib.frames import MAX_CONTENT_BYTES, event_frame
from chalicelib.logic.audit import AuditService
from chalicelib.models import Connection, Notice, PushResult, rfc3339

logger = logging.getLogger(__name__)

EVENT = "notice"
CHUNK = 500  # connections: posts of about a second
MAX_ATTEMPTS = 5
_AUDITED_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeChunk:
    """A notice, and some of the connections that are to get it.

    Attributes:
        attempt: So many posts to these connections failed before.
    """

    notice: Notice
    connection_ids: Sequence[str]
    attempt: int = 0


class Online(Protocol):
    """The stored connections."""

    def online(self) -> list[Connection]: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class Outbox(Protocol):
    """Enqueues commands."""

    def broadcast(self, ctx: Context, notice: Notice) -> None: ...
    def push_notice(self, chunks: Iterable[NoticeChunk]) -> None: ...
    def push_notice_later(self, chunk: NoticeChunk) -> None: ...


class BroadcastService:
    """Broadcasts (requirement APP-16)."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        connections: Online,
        push: Push,
        audit: AuditService,
        clock: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._connections = connections
        self._push = push
        self._audit = audit
        self._clock = clock

    def send(self, ctx: Context, content: str, *, notice_id: str) -> Notice:
        """Enqueues a notice; one with the same id is the same for clients.

        Raises:
            TooLargeError: It is longer than a message may be.
        """
        with self._audit.action(ctx, "broadcast", notice_id, content=content[:_AUDITED_CHARACTERS]):
            if len(content.encode()) > MAX_CONTENT_BYTES:
                raise TooLargeError(f"content: expected at most {MAX_CONTENT_BYTES} bytes of UTF-8")
            notice = Notice(id=notice_id, content=content, created_at=rfc3339(self._clock()))
            self._outbox.broadcast(ctx, notice)
        return notice

    def spread(self, notice: Notice) -> None:
        """Enqueues the chunks for all who are connected now."""
        ids = [one.id for one in self._connections.online()]
        starts = range(0, len(ids), CHUNK)
        self._outbox.push_notice(
            NoticeChunk(notice=notice, connection_ids=ids[at : at + CHUNK]) for at in starts
        )
        logger.info("broadcast", extra={"notice_id": notice.id, "connections": len(ids)})

    def push(self, chunk: NoticeChunk) -> None:
        """Posts a notice to a chunk; connections whose post failed get it later, some times."""
        frame = event_frame(EVENT, asdict(chunk.notice))
        results = self._push.post_all({one: [frame] for one in chunk.connection_ids})
        failed = [one for one, result in results.items() if result is PushResult.FAILED]
        if not failed:
            return
        attempt = chunk.attempt + 1
        if attempt < MAX_ATTEMPTS:
            self._outbox.push_notice_later(
                NoticeChunk(notice=chunk.notice, connection_ids=failed, attempt=attempt)
            )
        else:
            logger.error(
                "notice not delivered",
                extra={"notice_id": chunk.notice.id, "connections": len(failed)},
            )
