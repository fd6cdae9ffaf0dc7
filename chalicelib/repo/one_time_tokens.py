"""The table `one-time-tokens`: what a token is good for; it can be taken once, until it expires."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import call, decode_item, encode_item, table, write_all


class OneTimeTokenRepository:
    """Keys are hashes of tokens: who reads the table cannot use them."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("one-time-tokens")

    def put(self, key: str, value: Mapping[str, str], *, expires_at: float) -> None:
        """Stores what a token is good for, until Unix seconds."""
        item = {"key": key, "value": dict(value), "expires_at": expires_at, "ttl": int(expires_at)}
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))

    def take(self, key: str) -> Mapping[str, str] | None:
        """Removes it; of several calls one gets it, and none when it is unknown or too old."""
        delete = {
            "TableName": self._table,
            "Key": encode_item({"key": key}),
            "ConditionExpression": "expires_at > :now",
            "ExpressionAttributeValues": encode_item({":now": self._clock()}),
            "ReturnValues": "ALL_OLD",
        }
        (result,) = write_all(self._store, (("DeleteItem", delete),))
        if result is None:
            return None
        value: Mapping[str, str] = decode_item(result["Attributes"])["value"]
        return value
