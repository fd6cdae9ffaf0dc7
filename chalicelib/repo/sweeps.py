"""Going through whole tables; the table `sweeps` has how far a job has come with one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import Item, attempt, call, decode_item, encode_item, get_one, table


class SweepRepository:
    """One position a job."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("sweeps")

    def position(self, name: str) -> str | None:
        """After which item to go on; None at the beginning."""
        item = get_one(self._store, self._table, {"name": name}) or {}
        return item.get("position") or None

    def move(self, name: str, old: str | None, new: str | None) -> bool:
        """Writes the next position; False where somebody else has moved it."""
        item = {"name": name, "position": new or ""}
        return attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(#name) OR #position = :old",
            ExpressionAttributeNames={"#name": "name", "#position": "position"},
            ExpressionAttributeValues=encode_item({":old": old or ""}),
        )


def scan_all(store: JsonService, **arguments: Any) -> Iterator[Item]:
    """Every item of a table, page by page.

    Raises:
        UnavailableError: The store refused or is away.
    """
    while True:
        page = call(store, "Scan", **arguments)
        yield from map(decode_item, page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
