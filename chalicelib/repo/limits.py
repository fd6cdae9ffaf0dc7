"""The table `limits`: counters of rate limits, and failed log-ins."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.aws import AwsError, JsonService
from chalicelib.repo.dynamodb import (
    attempt,
    call,
    decode_item,
    encode_item,
    get_one,
    table,
)

_MAX_OLD_WINDOWS = 8  # an item of somebody who comes now and then must not grow


class FailedLogins(NamedTuple):
    """How many, and when the last one was in Unix seconds."""

    failures: int
    at: float


class CounterRepository:
    """One item a subject, an attribute a window: one write counts, and answers both counts."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("limits")

    def add(
        self, key: str, window: int, permits: int, *, at_most: int, expires_at: int
    ) -> tuple[bool, tuple[int, int]]:
        """Counts permits, unless the window would have more than ``at_most`` of them then.

        Returns:
            Whether it did; the counts of this window and of the one before.

        Raises:
            UnavailableError: The store refused or is away.
        """
        arguments = {
            "TableName": self._table,
            "Key": encode_item({"key": key}),
            "UpdateExpression": "ADD #now :permits SET #ttl = :ttl",
            "ConditionExpression": "attribute_not_exists(#now) OR #now <= :before",
            "ExpressionAttributeNames": {"#now": _name(window), "#ttl": "ttl"},
            "ExpressionAttributeValues": encode_item(
                {":permits": permits, ":before": at_most - permits, ":ttl": expires_at}
            ),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            item = decode_item(call(self._store, "UpdateItem", **arguments)["Attributes"])
        except AwsError as error:
            return False, _counts(decode_item(error.item or {}), window)
        self._forget_old(key, [name for name in item if _is_before(name, window - 1)])
        return True, _counts(item, window)

    def _forget_old(self, key: str, names: list[str]) -> None:
        if len(names) <= _MAX_OLD_WINDOWS:
            return
        call(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"key": key}),
            UpdateExpression=f"REMOVE {', '.join(names)}",
        )


class FailedLoginRepository:
    """One item an account and address that a log-in failed for; read strongly."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("limits")

    def get(self, key: str) -> FailedLogins | None:
        """What failed."""
        item = get_one(self._store, self._table, _login(key))
        return FailedLogins(item["failures"], item["at"]) if item else None

    def add(self, key: str, *, at: float, since: float, expires_at: int) -> None:
        """Counts one; those up to ``since`` are forgotten."""
        counted = self._set(
            key,
            "ADD failures :one SET #at = :at, #ttl = :ttl",
            "attribute_not_exists(#at) OR #at > :since",
            {":one": 1, ":at": at, ":since": since, ":ttl": expires_at},
            {"#at": "at", "#ttl": "ttl"},
        )
        if not counted:
            item = {**_login(key), "failures": 1, "at": at, "ttl": expires_at}
            call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))

    def claim(self, key: str, *, at: float, seen: float) -> bool:
        """Has the next attempt to oneself; False when somebody was faster."""
        values = {":at": at, ":seen": seen}
        return self._set(key, "SET #at = :at", "#at = :seen", values, {"#at": "at"})

    def forget(self, key: str) -> None:
        """Begins anew."""
        call(self._store, "DeleteItem", TableName=self._table, Key=encode_item(_login(key)))

    def _set(
        self, key: str, update: str, condition: str, values: dict[str, Any], names: dict[str, str]
    ) -> bool:
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_login(key)),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode_item(values),
        )


def _login(key: str) -> dict[str, Any]:
    return {"key": f"login#{key}"}


def _name(window: int) -> str:
    return f"w{window}"


def _is_before(name: str, window: int) -> bool:
    return name.startswith("w") and int(name[1:]) < window


def _counts(item: dict[str, Any], window: int) -> tuple[int, int]:
    return item.get(_name(window), 0), item.get(_name(window - 1), 0)
