"""The table `delayed`: records that go to Kafka later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import Item, call, encode_item, query_all, table, write_all

_SHARDS = 4  # DynamoDB quota: 1,000 writes/s for one partition key
_PAGE = 100


class DelayedRepository:
    """Keeps records until they are due."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("delayed")

    def put(self, record: bytes, due: float) -> None:
        """Keeps a record until ``due``, Unix seconds."""
        item = encode_item(delayed_item(record, due))
        call(self._store, "PutItem", TableName=self._table, Item=item)

    def due(self, now: float) -> Sequence[tuple[str, bytes]]:
        """Some that are due, the earliest first, each with an id."""
        items = [
            item
            for shard in range(_SHARDS)
            for item in query_all(
                self._store,
                TableName=self._table,
                KeyConditionExpression="#shard = :shard AND due < :now",
                ExpressionAttributeNames={"#shard": "shard"},
                ExpressionAttributeValues=encode_item(
                    {":shard": str(shard), ":now": _ms(now + 0.001)}
                ),
                Limit=_PAGE,
            )
        ]
        items.sort(key=lambda item: str(item["due"]))
        return [(f"{item['shard']}/{item['due']}", item["record"]) for item in items]

    def remove(self, ids: Sequence[str]) -> None:
        """Forgets records that were sent."""
        keys = [dict(zip(("shard", "due"), one.split("/", 1), strict=True)) for one in ids]
        deletes = [{"TableName": self._table, "Key": encode_item(key)} for key in keys]
        write_all(self._store, (("DeleteItem", one) for one in deletes))


def delayed_item(record: bytes, due: float) -> Item:
    """The item that keeps a record until ``due``, for a transaction with others."""
    id_ = uuid4()
    return {"shard": str(id_.int % _SHARDS), "due": f"{_ms(due)}#{id_.hex}", "record": record}


def _ms(seconds: float) -> str:
    return f"{int(seconds * 1000):015d}"
