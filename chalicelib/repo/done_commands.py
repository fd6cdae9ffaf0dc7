"""The table `done-commands`: commands that are not to be carried out again."""

from __future__ import annotations

import time
from collections.abc import Callable

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import call, encode_item, get_one, table

KEPT_SECONDS = 7 * 24 * 3600  # as long as Kafka keeps the record that would repeat it


class DoneCommandRepository:
    """Remembers commands by task and idempotency key."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("done-commands")

    def is_done(self, key: str) -> bool:
        """Whether it was carried out."""
        return get_one(self._store, self._table, {"key": key}) is not None

    def done(self, key: str) -> None:
        """It is carried out."""
        item = {"key": key, "ttl": int(self._clock()) + KEPT_SECONDS}
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))
