"""Telling people, on every device of theirs, that something changed.

A notice is a hint: it may be lost with its connection, and says nothing that a later read does
not say too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import UnavailableError
from chalicelib.frames import event_frame
from chalicelib.models import Connection, PushResult

logger = logging.getLogger(__name__)


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class NoticeService:
    """Pushes ``event`` frames."""

    def __init__(self, *, connections: Connections, push: Push) -> None:
        self._connections = connections
        self._push = push

    def tell(self, user_ids: Iterable[str], event: str, data: Mapping[str, Any]) -> None:
        """Tells users of an event.

        Args:
            user_ids: Whom.
            event: What happened, for example ``friend.requested``.
            data: What there is to know of it; fits into JSON.
        """
        frame = event_frame(event, data)
        try:
            live = self._connections.live(set(user_ids))
        except UnavailableError as error:  # what the notice is of is done all the same
            logger.warning("nobody was told", extra={"event": event, "error": str(error)})
            return
        self._push.post_all({one.id: [frame] for group in live.values() for one in group})
