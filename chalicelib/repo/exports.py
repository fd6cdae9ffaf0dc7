"""The table `exports`: the export of a user's data that is being made or stands; expires."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Export, ExportStatus
from chalicelib.repo.dynamodb import attempt, call, encode_item, get_one, table


class ExportRepository:
    """One export a user; read strongly."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("exports")

    def get(self, user_id: str) -> Export | None:
        """A user's export."""
        item = get_one(self._store, self._table, {"user_id": user_id})
        return _export(item) if item else None

    def replace(self, old: Export | None, new: Export) -> bool:
        """Writes how far an export has come; False when that is no longer as ``old`` says."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(user_id)"}
        if old is not None:
            condition = {
                "ConditionExpression": "id = :id AND #step = :step AND #status = :status",
                "ExpressionAttributeNames": {"#step": "step", "#status": "status"},
                "ExpressionAttributeValues": encode_item(
                    {":id": old.id, ":step": old.step, ":status": old.status.value}
                ),
            }
        item = {**asdict(new), "status": new.status.value, "ttl": int(new.expires_at)}
        return attempt(
            self._store, "PutItem", TableName=self._table, Item=encode_item(item), **condition
        )

    def delete(self, user_id: str) -> None:
        """Removes a user's export; none is no fault."""
        key = encode_item({"user_id": user_id})
        call(self._store, "DeleteItem", TableName=self._table, Key=key)


def _export(item: dict[str, Any]) -> Export:
    item.pop("ttl")
    values = {"status": ExportStatus(item["status"]), "parts": tuple(item["parts"])}
    return Export(**{**item, **values})
