"""DynamoDB items to Python values and back, and the calls that every hot table makes.

Only str, int, float, bytes, bool, None, list and dict occur in our items.
"""

from __future__ import annotations

import base64
import os
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from chalicelib.aws import AwsError, JsonService
from chalicelib.errors import UnavailableError

Item = dict[str, Any]
_BATCH_GET = 100  # DynamoDB quota: items in one BatchGetItem
_BATCH_WRITE = 25  # DynamoDB quota: items in one BatchWriteItem
_ATTEMPTS = 6
_RACES = ("ConditionalCheckFailed", "TransactionConflict")


def table(name: str) -> str:
    """The name of a table in this stage."""
    return f"lambchat-{os.environ.get('STAGE', 'local')}-{name}"


def encode(value: Any) -> dict[str, Any]:
    """A Python value as a DynamoDB attribute value."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case list() | tuple():
            return {"L": [encode(one) for one in value]}
        case dict():
            return {"M": encode_item(value)}
    raise TypeError(f"no attribute type for {type(value).__name__}")


def encode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping as an item, or as expression values."""
    return {name: encode(value) for name, value in item.items()}


def decode(attribute: Mapping[str, Any]) -> Any:
    """A DynamoDB attribute value as a Python value."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return float(value) if "." in value or "e" in value.lower() else int(value)
        case "B":
            return base64.b64decode(value)
        case "L":
            return [decode(one) for one in value]
        case "M":
            return decode_item(value)
        case "NULL":
            return None
    return value


def decode_item(item: Mapping[str, Any]) -> Item:
    """An item as a dict."""
    return {name: decode(value) for name, value in item.items()}


def is_condition(error: AwsError) -> bool:
    """Whether a condition failed, which is an answer and no fault."""
    return error.code == "ConditionalCheckFailedException"


def unavailable(error: AwsError) -> UnavailableError:
    """The error that leaves a repository when the store refuses or is away."""
    return UnavailableError(f"the store answered {error.code}", retry_after=error.retry_after)


def call(store: JsonService, operation: str, **arguments: Any) -> dict[str, Any]:
    """One call.

    Raises:
        AwsError: A condition failed.
        UnavailableError: Anything else went wrong.
    """
    try:
        return store.call(operation, arguments)
    except AwsError as error:
        if is_condition(error):
            raise
        raise unavailable(error) from error


def attempt(store: JsonService, operation: str, **arguments: Any) -> bool:
    """One conditional write; False when its condition failed.

    Raises:
        UnavailableError: Anything else went wrong.
    """
    try:
        call(store, operation, **arguments)
    except AwsError:
        return False
    return True


def transact(store: JsonService, writes: Sequence[Item], *, lost: Sequence[str] = _RACES) -> bool:
    """Writes everything or nothing; False when a condition failed or another writer was faster.

    Args:
        store: DynamoDB.
        writes: At most 100 of them.
        lost: The reasons for False; for any other it is to be tried again.

    Raises:
        UnavailableError: Anything else went wrong.
    """
    arguments = {"TransactItems": writes, "ClientRequestToken": uuid4().hex}
    result = store.call_all((("TransactWriteItems", arguments),))[0]
    if not isinstance(result, AwsError):
        return True
    if any(reason in f"{result.code} {result.message}" for reason in lost):
        return False
    raise unavailable(result) from result


def write_all(
    store: JsonService, calls: Iterable[tuple[str, Mapping[str, Any]]]
) -> list[dict[str, Any] | None]:
    """Several conditional writes together; None where the condition failed.

    Raises:
        UnavailableError: One of them went wrong; others may have been done.
    """
    results: list[dict[str, Any] | None] = []
    failed: AwsError | None = None
    for result in store.call_all(calls):
        if not isinstance(result, AwsError):
            results.append(result)
        elif is_condition(result):
            results.append(None)
        else:
            failed = result
    if failed:
        raise unavailable(failed) from failed
    return results


def read_all(
    store: JsonService, calls: Iterable[tuple[str, Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Several reads together.

    Raises:
        UnavailableError: The store refused one, or is away.
    """
    results: list[dict[str, Any]] = []
    for result in store.call_all(calls):
        if isinstance(result, AwsError):
            raise unavailable(result) from result
        results.append(result)
    return results


def query_all(store: JsonService, **arguments: Any) -> list[Item]:
    """A strongly consistent query: all its pages, or as many items as ``Limit`` says.

    Raises:
        UnavailableError: The store refused or is away.
    """
    items: list[Item] = []
    limit = arguments.get("Limit", 0)
    while True:
        page = call(store, "Query", **{"ConsistentRead": True, **arguments})
        items.extend(map(decode_item, page.get("Items", ())))
        if "LastEvaluatedKey" not in page or len(items) == limit:
            return items
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        if limit:  # a page of 1 MB may have had fewer
            arguments["Limit"] = limit - len(items)


def get_one(store: JsonService, name: str, key: Item, *, consistent: bool = True) -> Item | None:
    """Reads an item by its key, strongly unless it need not be; None when there is none.

    Raises:
        UnavailableError: The store refused or is away.
    """
    answer = call(store, "GetItem", TableName=name, Key=encode_item(key), ConsistentRead=consistent)
    return decode_item(answer["Item"]) if answer.get("Item") else None


def get_all(
    store: JsonService, keys: Mapping[str, Sequence[Item]], *, consistent: bool = True
) -> dict[str, list[Item]]:
    """Reads items by key from several tables, 100 a call.

    Args:
        store: DynamoDB.
        keys: The keys by table name; each key once.
        consistent: Whether to read strongly, which costs twice as much.

    Returns:
        The items that exist, by table name, in no order.

    Raises:
        UnavailableError: The store refused, is away, or throttles without end.
    """
    found: dict[str, list[Item]] = {name: [] for name in keys}
    todo = [(name, encode_item(key)) for name, table_keys in keys.items() for key in table_keys]
    for attempt in range(_ATTEMPTS):
        chunks = [todo[at : at + _BATCH_GET] for at in range(0, len(todo), _BATCH_GET)]
        requests = [_get_request(chunk, consistent) for chunk in chunks]
        todo = []
        for result in store.call_all(("BatchGetItem", {"RequestItems": one}) for one in requests):
            if isinstance(result, AwsError):
                raise unavailable(result) from result
            for name, items in result["Responses"].items():
                found[name].extend(map(decode_item, items))
            for name, rest in result.get("UnprocessedKeys", {}).items():
                todo.extend((name, key) for key in rest["Keys"])
        if not todo:
            return found
        _back_off(attempt)
    raise UnavailableError("the store throttles reads")


def put_all(store: JsonService, name: str, items: Sequence[Item]) -> None:
    """Writes items unconditionally, 25 a call.

    Raises:
        UnavailableError: The store refused, is away, or throttles without end.
    """
    todo = [{"PutRequest": {"Item": encode_item(item)}} for item in items]
    for attempt in range(_ATTEMPTS):
        batches = [todo[at : at + _BATCH_WRITE] for at in range(0, len(todo), _BATCH_WRITE)]
        todo = []
        calls = (("BatchWriteItem", {"RequestItems": {name: batch}}) for batch in batches)
        for result in store.call_all(calls):
            if isinstance(result, AwsError):
                raise unavailable(result) from result
            todo.extend(result.get("UnprocessedItems", {}).get(name, ()))
        if not todo:
            return
        _back_off(attempt)
    raise UnavailableError("the store throttles writes")


def _get_request(chunk: Sequence[tuple[str, Any]], consistent: bool) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for name, key in chunk:
        request.setdefault(name, {"Keys": [], "ConsistentRead": consistent})["Keys"].append(key)
    return request


def _back_off(attempt: int) -> None:
    """Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""
    time.sleep(random.uniform(0, 0.05 * 2**attempt))
