"""Queries that several tables have in common."""

from __future__ import annotations

from typing import Any

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import Item, call, decode_item, encode_item


def partition(name: str, value: str) -> dict[str, Any]:
    """The arguments of a query for all items with this partition key."""
    return {
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": name},
        "ExpressionAttributeValues": encode_item({":key": value}),
    }


def query_page(
    store: JsonService, *, after: Item | None, **arguments: Any
) -> tuple[list[Item], Item | None]:
    """One page of a query.

    Returns:
        The items, and where the next page begins; None at the end.

    Raises:
        UnavailableError: The store refused or is away.
    """
    start = {"ExclusiveStartKey": encode_item(after)} if after else {}
    page = call(store, "Query", **arguments, **start)
    last = page.get("LastEvaluatedKey")
    return [decode_item(item) for item in page["Items"]], decode_item(last) if last else None
