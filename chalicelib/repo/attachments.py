"""The table `attachments`: uploads; one that was never sent expires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Attachment
from chalicelib.repo.dynamodb import attempt, call, encode_item, get_one, table

MAX_REFERENCES = 100  # 31 bytes each, in the row


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
        item = get_one(self._store, self._table, {"id": attachment_id})
        return _attachment(item) if item else None

    def keep(self, attachment_id: str, *, is_public: bool) -> bool:
        """Has an upload stay, and be seen by everybody; False where it is gone."""
        public = ", is_public = :yes" if is_public else ""
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"id": attachment_id}),
            UpdateExpression=f"SET is_kept = :yes{public} REMOVE #ttl",
            ConditionExpression="attribute_exists(id) AND is_removed = :no",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues=encode_item({":yes": True, ":no": False}),
        )

    def refer(self, attachment_id: str, message_id: str) -> bool:
        """Notes that a message has an upload; False where that is gone.

        An upload of very many messages stays for ever: its row would grow without end.
        """
        there = "attribute_exists(id) AND is_removed = :no"
        few = "(attribute_not_exists(messages) OR size(messages) < :most)"
        key = {"TableName": self._table, "Key": encode_item({"id": attachment_id})}
        noted = attempt(
            self._store,
            "UpdateItem",
            **key,
            UpdateExpression="ADD messages :message",
            ConditionExpression=f"{there} AND {few}",
            ExpressionAttributeValues={
                **encode_item({":no": False, ":most": MAX_REFERENCES}),
                **_messages(message_id),
            },
        )
        return noted or attempt(
            self._store,
            "UpdateItem",
            **key,
            UpdateExpression="SET is_shared = :yes",
            ConditionExpression=there,
            ExpressionAttributeValues=encode_item({":no": False, ":yes": True}),
        )

    def release(self, attachment_id: str, message_id: str) -> None:
        """Notes that a message has an upload no more; none is no fault."""
        attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"id": attachment_id}),
            UpdateExpression="DELETE messages :message",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues=_messages(message_id),
        )

    def seal(self, attachment_id: str, *, even_public: bool) -> bool:
        """Has nobody refer to an upload any more; False where a message has it, or it is public."""
        unless_public = "" if even_public else " AND is_public = :no"
        values = {":yes": True} if even_public else {":yes": True, ":no": False}
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"id": attachment_id}),
            UpdateExpression="SET is_removed = :yes",
            ConditionExpression="attribute_exists(id) AND attribute_not_exists(messages)"
            f" AND attribute_not_exists(is_shared){unless_public}",
            ExpressionAttributeValues=encode_item(values),
        )

    def delete(self, attachment_id: str) -> None:
        """Removes an upload; none is no fault."""
        call(
            self._store,
            "DeleteItem",
            TableName=self._table,
            Key=encode_item({"id": attachment_id}),
        )


def _messages(message_id: str) -> dict[str, Any]:
    return {":message": {"SS": [message_id]}}


def _attachment(item: Mapping[str, Any]) -> Attachment:
    return Attachment(**{one.name: item[one.name] for one in fields(Attachment)})
