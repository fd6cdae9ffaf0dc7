"""The table `dead-letters`: records that can never succeed, with their place in Kafka.

What can be parked must not depend on what is in it, or one record would stop its partition for
ever: everything is bounded, and what came from the record is kept as text or bytes, never as
attributes (DynamoDB refuses NaN, deep nesting and half surrogate pairs).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import call, encode_item, table

# DynamoDB quota: an item holds 400 KB. All that is kept of one record stays below 350 KB.
_MAX_RAW_BYTES = 200_000
_MAX_JSON_BYTES = 100_000
_MAX_TEXT_BYTES = 4_000


class DeadLetterRepository:
    """Keeps records aside; the same record parked twice is one item."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("dead-letters")

    def park(
        self, *, source: str, offset: int, raw: bytes, error: str, details: Mapping[str, Any]
    ) -> None:
        """Stores a record under its place.

        ``details`` are kept as texts, those that are none as JSON. Of what is too long the
        beginning is kept, and ``truncated`` says how many bytes it had.
        """
        topic, _, partition = source.rpartition("-")
        kept: dict[str, str | bytes] = {}
        truncated: dict[str, int] = {}
        for name, value in {"raw": raw, "error": error, **details}.items():
            content, limit = _content(value)
            if len(content) > limit:
                truncated[name] = len(content)
                content = content[:limit]
            kept[name] = content if name == "raw" else content.decode(errors="ignore")
        item = {
            "topic": topic,
            "place": f"{int(partition):06d}-{offset:020d}",
            "parked_at": self._clock(),
            **kept,
            **({"truncated": truncated} if truncated else {}),
        }
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))


def _content(value: Any) -> tuple[bytes, int]:
    """A value as bytes, and how many of them are kept."""
    match value:
        case bytes():
            return value, _MAX_RAW_BYTES
        case str():
            return value.encode(errors="replace"), _MAX_TEXT_BYTES
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return text.encode(errors="replace"), _MAX_JSON_BYTES
