"""The table `mentions`: which messages mention a user, or everybody in a group.

| item | pk | sk | holds |
|---|---|---|---|
| of a user | user id | conversation id, `#`, number of 16 digits | sender; void where it is gone |
| of everybody | `all#` and the conversation id | the same | the same |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import EVERYBODY, Mention, is_group
from chalicelib.repo.dynamodb import (
    Item,
    decode_item,
    encode_item,
    put_all,
    query_all,
    read_all,
    table,
    write_all,
)

MAX_COUNTED = 1000  # rows of a conversation, the newest: about 100 KB


class MentionRepository:
    """Reads and writes mentions."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("mentions")

    def add(self, mentions: Sequence[Mention]) -> None:
        """Writes mentions; one that is there, or void already, stays as it is."""
        calls = (
            (
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": encode_item(_item(one)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                },
            )
            for one in mentions
        )
        write_all(self._store, calls)

    def void(self, mentions: Sequence[Mention]) -> None:
        """Makes mentions void, those that come later too."""
        put_all(self._store, self._table, [{**_item(one), "void": True} for one in mentions])

    def between(
        self, user_id: str, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[list[Mention], list[Mention]]]:
        """By conversation the mentions of a user, and those of everybody, read strongly.

        Args:
            user_id: Whose.
            ranges: By conversation after which number, and up to which.
        """
        asked = [
            (key, who)
            for key in ranges
            for who in ((user_id, EVERYBODY) if is_group(key) else (user_id,))
        ]
        pages = read_all(self._store, (("Query", self._query(*one, ranges)) for one in asked))
        found: dict[str, tuple[list[Mention], list[Mention]]] = {key: ([], []) for key in ranges}
        for (key, who), page in zip(asked, pages, strict=True):
            rows = (_mention(key, who, decode_item(item)) for item in page["Items"])
            found[key][who == EVERYBODY].extend(rows)
        return found

    def erase(self, user_id: str, limit: int) -> bool:
        """Removes some of a user's mentions; False when there were none left."""
        items = query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode_item({":pk": user_id}),
            Limit=limit,
        )
        keys = [encode_item({name: item[name] for name in ("pk", "sk")}) for item in items]
        write_all(
            self._store, (("DeleteItem", {"TableName": self._table, "Key": key}) for key in keys)
        )
        return bool(items)

    def _query(
        self, conversation_id: str, who: str, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, Any]:
        after, last = ranges[conversation_id]
        values = {
            ":pk": _pk(conversation_id, who),
            ":first": _sk(conversation_id, after + 1),
            ":last": _sk(conversation_id, last),
        }
        return {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": encode_item(values),
            "ScanIndexForward": False,
            "Limit": MAX_COUNTED,
        }


def _pk(conversation_id: str, who: str) -> str:
    return f"all#{conversation_id}" if who == EVERYBODY else who


def _sk(conversation_id: str, seq: int) -> str:
    return f"{conversation_id}#{seq:016}"


def _item(one: Mention) -> Item:
    return {
        "pk": _pk(one.conversation_id, one.user_id),
        "sk": _sk(one.conversation_id, one.seq),
        "sender_id": one.sender_id,
        "ttl": int(one.expires_at),
    }


def _mention(conversation_id: str, who: str, item: Item) -> Mention:
    return Mention(
        conversation_id=conversation_id,
        seq=int(item["sk"].rpartition("#")[2]),
        user_id=who,
        sender_id=item["sender_id"],
        expires_at=item["ttl"],
        void=item.get("void", False),
    )
