"""The table `dead-letters`: records that can never succeed, with their place in Kafka.

What can be parked must not depend on what is in it, or one record would stop its partition for
ever: everything is bounded, and what came from the record is kept as text or bytes, never as
attributes (DynamoDB refuses NaN, deep nesting and half surrogate pairs).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import DeadLetter
from chalicelib.repo.dynamodb import Item, call, encode_item, get_one, table
from chalicelib.repo.queries import partition, query_page

# DynamoDB quota: an item holds 400 KB. All that is kept of one record stays below 350 KB.
_MAX_RAW_BYTES = 200_000
_MAX_JSON_BYTES = 100_000
_MAX_TEXT_BYTES = 4_000
_ID = re.compile(r"(.+)-([0-9]{1,6})-([0-9]{1,19})(~.+)?")


class DeadLetterRepository:
    """Keeps records aside; the same record parked twice is one item, but one a listener."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("dead-letters")

    def park(
        self, *, source: str, offset: int, raw: bytes, error: str, details: Mapping[str, Any]
    ) -> None:
        """Stores a record under its place.

        ``details`` are kept as texts, those that are none as JSON. Of what is too long the
        beginning is kept, and ``truncated`` says how many bytes it had. A ``listener`` among them
        is part of the place: each listener may give an event up.
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
            "place": _place(int(partition), offset, details.get("listener", "")),
            "parked_at": self._clock(),
            **kept,
            **({"truncated": truncated} if truncated else {}),
        }
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))

    def get(self, letter_id: str) -> DeadLetter | None:
        """A dead letter by its id, read strongly."""
        key = _key(letter_id)
        item = get_one(self._store, self._table, key) if key else None
        return _letter(item) if item else None

    def delete(self, letter_id: str) -> None:
        """Forgets a dead letter; none is no fault."""
        if key := _key(letter_id):
            call(self._store, "DeleteItem", TableName=self._table, Key=encode_item(key))

    def page(
        self, topic: str, *, after: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None]:
        """Some dead letters of a topic, in order of partition and offset; at most 1 MB of them.

        Returns:
            The letters, and the place after which the next page begins; None at the end.
        """
        items, following = query_page(
            self._store,
            after={"topic": topic, "place": after} if after else None,
            TableName=self._table,
            **partition("topic", topic),
            Limit=limit,
        )
        return list(map(_letter, items)), following["place"] if following else None


def _key(letter_id: str) -> Item | None:
    if not (found := _ID.fullmatch(letter_id)):
        return None
    topic, partition, offset, listener = found.groups("")
    return {"topic": topic, "place": _place(int(partition), int(offset), listener[1:])}


def _place(partition: int, offset: int, listener: str) -> str:
    return f"{partition:06d}-{offset:020d}" + (f"~{listener}" if listener else "")


def _letter(item: Item) -> DeadLetter:
    partition, _, offset = item.pop("place").partition("~")[0].partition("-")
    names = DeadLetter.__dataclass_fields__
    kept = {name: value for name, value in item.items() if name in names}
    return DeadLetter(**kept, partition=int(partition), offset=int(offset))


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
