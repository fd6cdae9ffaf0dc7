"""The table `offline`: for a user and conversation the first message that was missed.

A pointer, not copies: written once, and not again while it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import attempt, encode_item, get_all, query_all, table, write_all
from chalicelib.repo.queries import partition

Pair = tuple[str, str]  # user, conversation


class OfflineRepository:
    """Reads, writes and clears pointers."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("offline")

    def get(self, pairs: Iterable[Pair]) -> dict[Pair, int]:
        """The first missed numbers that stand, read strongly."""
        keys = [_key(*pair) for pair in dict.fromkeys(pairs)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {(item["user_id"], item["conversation_id"]): item["first_seq"] for item in items}

    def of_user(self, user_id: str) -> dict[str, int]:
        """A user's pointers: first missed number by conversation."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("user_id", user_id),
        )
        return {item["conversation_id"]: item["first_seq"] for item in items}

    def some_of_user(self, user_id: str, limit: int) -> list[str]:
        """The conversations of a user's first pointers."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("user_id", user_id),
            Limit=limit,
        )
        return [item["conversation_id"] for item in items]

    def mark(self, pointers: Mapping[Pair, int]) -> None:
        """Writes pointers, unless one stands that begins as early or earlier."""
        calls = (
            (
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": encode_item({**_key(*pair), "first_seq": seq}),
                    "ConditionExpression": "attribute_not_exists(user_id) OR first_seq > :seq",
                    "ExpressionAttributeValues": encode_item({":seq": seq}),
                },
            )
            for pair, seq in pointers.items()
        )
        write_all(self._store, calls)

    def clear(self, user_id: str, conversation_id: str, up_to: int) -> bool:
        """Removes a pointer that begins at or before ``up_to``; False when there is none."""
        return attempt(
            self._store,
            "DeleteItem",
            TableName=self._table,
            Key=encode_item(_key(user_id, conversation_id)),
            ConditionExpression="first_seq <= :seq",
            ExpressionAttributeValues=encode_item({":seq": up_to}),
        )

    def remove(self, pairs: Iterable[Pair]) -> None:
        """Removes pointers wherever they begin: of conversations that are read no more."""
        calls = (
            ("DeleteItem", {"TableName": self._table, "Key": encode_item(_key(*pair))})
            for pair in pairs
        )
        write_all(self._store, calls)

    def move(self, user_id: str, conversation_id: str, first_seq: int) -> bool:
        """Moves a pointer up; False when there is none that begins earlier."""
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_key(user_id, conversation_id)),
            UpdateExpression="SET first_seq = :seq",
            ConditionExpression="first_seq < :seq",
            ExpressionAttributeValues=encode_item({":seq": first_seq}),
        )


def _key(user_id: str, conversation_id: str) -> dict[str, str]:
    return {"user_id": user_id, "conversation_id": conversation_id}
