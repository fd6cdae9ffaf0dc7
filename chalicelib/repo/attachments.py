"""The table `attachments`: uploads; one that was never sent expires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Attachment
from chalicelib.repo.dynamodb import attempt, call, decode_item, encode_item, table


class AttachmentRepository:
    """Uploads by their ids; read strongly."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("attachments")

    def add(self, attachment: Attachment, *, expires_at: float) -> None:
        """Stores an upload until a time; one that is there already stays as it is."""
        item = {**asdict(attachment), "ttl": int(expires_at)}
        attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(id)",
        )

    def get(self, attachment_id: str) -> Attachment | None:
        """An upload."""
        answer = call(
            self._store,
            "GetItem",
            TableName=self._table,
            Key=encode_item({"id": attachment_id}),
            ConsistentRead=True,
        )
        return _attachment(decode_item(answer["Item"])) if answer.get("Item") else None

    def keep(self, attachment_id: str, *, is_public: bool) -> bool:
        """Has an upload stay, and be seen by everybody; False where it is gone."""
        public = ", is_public = :yes" if is_public else ""
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"id": attachment_id}),
            UpdateExpression=f"SET is_kept = :yes{public} REMOVE #ttl",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues=encode_item({":yes": True}),
        )


def _attachment(item: Mapping[str, Any]) -> Attachment:
    return Attachment(**{one.name: item[one.name] for one in fields(Attachment)})
