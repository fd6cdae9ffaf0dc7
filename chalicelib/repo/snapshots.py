"""The table `snapshots`: one item, the configuration of this stage as it was last seen."""

from __future__ import annotations

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import attempt, encode_item, get_one, table

_KEY = {"id": "configuration"}


class SnapshotRepository:
    """Reads the snapshot, and writes the next one."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("snapshots")

    def read(self, *, consistent: bool) -> tuple[int, str] | None:
        """Version and body of the snapshot; None when there is none.

        Args:
            consistent: Whether it must be the newest, which costs twice as much.

        Raises:
            UnavailableError: The store refused or is away.
        """
        item = get_one(self._store, self._table, _KEY, consistent=consistent)
        return (item["version"], item["body"]) if item else None

    def write(self, version: int, body: str) -> bool:
        """Stores the version after the one that is there; False when somebody else already did.

        Raises:
            UnavailableError: The store refused or is away.
        """
        return attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item({**_KEY, "version": version, "body": body}),
            ConditionExpression="attribute_not_exists(id) OR version = :before",
            ExpressionAttributeValues=encode_item({":before": version - 1}),
        )
