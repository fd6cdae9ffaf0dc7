"""How much there is, counted as cheaply as each table allows; nothing here walks a whole table."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.repo.connections import SHARDS
from chalicelib.repo.dynamodb import call, encode_item, table
from chalicelib.repo.queries import partition

_ITEMS_AN_ACCOUNT = 2  # the account, and the claim of its name
_MAX_PAGES = 10  # of 1 MB each: dead letters are large


class TotalsRepository:
    """Counts what operators ask for."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def accounts(self) -> int:
        """About how many accounts were made: DynamoDB renews this number every six hours."""
        found = call(self._store, "DescribeTable", TableName=table("users"))["Table"]
        return int(found.get("ItemCount", 0)) // _ITEMS_AN_ACCOUNT

    def connections(self) -> int:
        """The connections that have not expired, from the shards of who is online."""
        return sum(
            self._count(
                TableName=table("connections"),
                KeyConditionExpression="pk = :pk",
                FilterExpression="#until > :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues=encode_item(
                    {":pk": f"online#{shard}", ":now": self._clock()}
                ),
            )[0]
            for shard in range(SHARDS)
        )

    def dead_letters(self, topic: str) -> tuple[int, bool]:
        """The dead letters of a topic among the first 10 MB, and whether these are all."""
        return self._count(
            _MAX_PAGES,
            TableName=table("dead-letters"),
            **partition("topic", topic),
        )

    def _count(self, pages: int | None = None, **query: Any) -> tuple[int, bool]:
        count = read = 0
        while True:
            page = call(self._store, "Query", Select="COUNT", **query)
            count, read = count + page["Count"], read + 1
            if "LastEvaluatedKey" not in page:
                return count, True
            if read == pages:
                return count, False
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
