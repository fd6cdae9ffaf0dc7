"""The table `dead-letters`: records that can never succeed, with their place in Kafka."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import call, encode_item, table

_MAX_RAW = 200_000  # bytes kept of a record that cannot be read; an item holds 400 KB


class DeadLetterRepository:
    """Keeps records aside; the same record parked twice is one item."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("dead-letters")

    def park(
        self, *, source: str, offset: int, raw: bytes, error: str, details: Mapping[str, Any]
    ) -> None:
        """Stores a record under its place."""
        topic, _, partition = source.rpartition("-")
        item = {
            "topic": topic,
            "place": f"{int(partition):06d}-{offset:020d}",
            "error": error[:1000],
            "raw": base64.b64encode(raw[:_MAX_RAW]).decode(),
            "parked_at": self._clock(),
            **details,
        }
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))
