"""Messages that were sent to last for a time only: their content goes when it is over.

Who reads one later sees a tombstone in any case; this takes the content out of the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Protocol

from chalicelib.models import Change, ChangeKind, Placed, unix_seconds


class ExpireLater(Protocol):
    """Has a change carried out after so many seconds."""

    def __call__(self, change: Change, seconds: float, /) -> None: ...


class ExpiryService:
    """Sees to the end of stored messages; seeing to one twice does no harm."""

    def __init__(self, later: ExpireLater, clock: Callable[[], float]) -> None:
        self._later = later
        self._clock = clock

    def stored(self, placed: Sequence[Placed]) -> None:
        """Sees to those of some messages that have an end.

        Raises:
            UnavailableError: A store is away; the same messages must come again.
        """
        for one in placed:
            if '"expires_at"' not in one.text:
                continue
            if expires_at := json.loads(one.text).get("expires_at"):
                change = Change(
                    conversation_id=one.conversation_id,
                    seq=one.seq,
                    kind=ChangeKind.EXPIRE,
                    user_id="",
                    at=expires_at,
                    id=one.id,
                    content="",
                    emoji="",
                    remove=False,
                )
                self._later(change, max(0.0, unix_seconds(expires_at) - self._clock()))
