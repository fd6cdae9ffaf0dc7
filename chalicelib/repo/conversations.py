"""The table `conversations`: one head item a conversation, derived from its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import ConversationType, Head
from chalicelib.repo.dynamodb import attempt, encode_item, get_all, table, write_all


class ConversationRepository:
    """Reads heads, and advances them."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("conversations")

    def create_conversation(self, head: Head) -> bool:
        """Creates an empty conversation; False when it is there already."""
        item = {
            "id": head.id,
            "type": head.type.value,
            "last_seq": 0,
            "created_at": head.created_at,
            "updated_at": head.created_at,
        }
        return attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(id)",
        )

    def get_conversations(self, ids: Sequence[str]) -> dict[str, Head]:
        """The heads that exist, read strongly."""
        keys = [{"id": one} for one in dict.fromkeys(ids)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {item["id"]: _head(item) for item in items}

    def advance(self, heads: Sequence[Head]) -> list[bool]:
        """Moves heads forward; False where a stored head is as far already, or further."""
        results = write_all(self._store, (("UpdateItem", self._update(head)) for head in heads))
        return [result is not None for result in results]

    def _update(self, head: Head) -> dict[str, Any]:
        values = {
            ":type": head.type.value,
            ":seq": head.last_seq,
            ":source": head.source,
            ":offset": head.offset,
            ":sealed": head.sealed_seq,
            ":digests": head.digests,
            ":sent": dict(head.sent),
            ":last": head.last,
            ":at": head.updated_at,
        }
        return {
            "TableName": self._table,
            "Key": encode_item({"id": head.id}),
            "ConditionExpression": "attribute_not_exists(last_seq) OR last_seq < :seq",
            "UpdateExpression": (
                "SET #type = :type, last_seq = :seq, #source = :source, #offset = :offset, "
                "sealed_seq = :sealed, digests = :digests, sent = :sent, #last = :last, "
                "updated_at = :at, created_at = if_not_exists(created_at, :at)"
            ),
            "ExpressionAttributeNames": {
                "#type": "type",
                "#source": "source",
                "#offset": "offset",
                "#last": "last",
            },
            "ExpressionAttributeValues": encode_item(values),
        }


def _head(item: Mapping[str, Any]) -> Head:
    return Head(
        id=item["id"],
        type=ConversationType(item["type"]),
        last_seq=item["last_seq"],
        source=item.get("source", ""),
        offset=item.get("offset", -1),
        sealed_seq=item.get("sealed_seq", 0),
        digests=item.get("digests", b""),
        sent=item.get("sent", {}),
        last=item.get("last", ""),
        created_at=item.get("created_at", ""),
        updated_at=item.get("updated_at", ""),
    )
