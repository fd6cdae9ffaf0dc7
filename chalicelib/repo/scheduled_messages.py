"""The table `scheduled-messages`: what users have scheduled, and how many of it waits.

| item | id | holds |
|---|---|---|
| message | its time and id | the draft, its status; expires some time after it was sent or failed |
| count | ``#`` | how many messages of the user wait |

The record that has it sent stands in `delayed`, written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import ScheduledMessage, ScheduledStatus
from chalicelib.repo.delayed import delayed_item
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    encode_item,
    get_one,
    query_all,
    table,
    transact,
    write_all,
)
from chalicelib.repo.queries import partition

_COUNT = "#"
_FIRST = "0"  # every id sorts after this, and the count before it
_NAMES = {"#status": "status"}


class ScheduledMessageRepository:
    """Scheduled messages; read strongly."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("scheduled-messages")

    def add(self, message: ScheduledMessage, record: bytes, *, max_pending: int) -> bool:
        """Stores a message, and a record that goes to Kafka when it is due.

        Returns:
            False when it is there already, too many wait, or another one is being written.
        """
        put = {
            "TableName": self._table,
            "Item": encode_item({**asdict(message), "status": message.status.value}),
            "ConditionExpression": "attribute_not_exists(id)",
        }
        later = encode_item(delayed_item(record, message.deliver_at))
        return transact(
            self._store,
            [
                {"Put": put},
                self._count(
                    message.user_id,
                    1,
                    "attribute_not_exists(pending) OR pending < :max",
                    {":max": max_pending},
                ),
                {"Put": {"TableName": table("delayed"), "Item": later}},
            ],
        )

    def get(self, user_id: str, scheduled_id: str) -> ScheduledMessage | None:
        """A message of a user."""
        item = self._get(user_id, scheduled_id)
        return _message(item) if item else None

    def pending(self, user_id: str) -> int:
        """How many messages of a user wait."""
        item = self._get(user_id, _COUNT)
        return item["pending"] if item else 0

    def page(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ScheduledMessage], str | None]:
        """Messages that were not sent, the next one first, and with which the next page starts."""
        items = query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression="user_id = :user AND id >= :start",
            FilterExpression="#status <> :sent",
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues=encode_item(
                {
                    ":user": user_id,
                    ":start": start or _FIRST,
                    ":sent": ScheduledStatus.SENT.value,
                }
            ),
            Limit=limit + 1,
        )
        following = items[limit]["id"] if len(items) > limit else None
        return [_message(item) for item in items[:limit]], following

    def claim(self, message: ScheduledMessage) -> bool:
        """Begins to send a message that waits; False when it does not, or something is written."""
        update = {
            "TableName": self._table,
            "Key": encode_item(_key(message.user_id, message.id)),
            "UpdateExpression": "SET #status = :new",
            "ConditionExpression": "#status = :old",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": encode_item(
                {":new": ScheduledStatus.SENDING.value, ":old": ScheduledStatus.PENDING.value}
            ),
        }
        return transact(self._store, [{"Update": update}, self._count(message.user_id, -1)])

    def finish(self, message: ScheduledMessage, *, expires_at: float) -> None:
        """Writes what became of a message; without a draft, that is forgotten."""
        item = {**asdict(message), "status": message.status.value, "ttl": int(expires_at)}
        attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_exists(id)",
        )

    def remove(self, message: ScheduledMessage) -> bool:
        """Removes a message; False when its status is another now, or something is written."""
        delete = {
            "TableName": self._table,
            "Key": encode_item(_key(message.user_id, message.id)),
            "ConditionExpression": "#status = :status",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": encode_item({":status": message.status.value}),
        }
        waits = message.status is ScheduledStatus.PENDING
        count = [self._count(message.user_id, -1)] if waits else []
        return transact(self._store, [{"Delete": delete}, *count])

    def erase(self, user_id: str) -> None:
        """Removes all of a user's; the records of those find nothing when they are due."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("user_id", user_id),
            ProjectionExpression="id",
        )
        keys = (encode_item(_key(user_id, one["id"])) for one in items)
        write_all(
            self._store, (("DeleteItem", {"TableName": self._table, "Key": key}) for key in keys)
        )

    def _get(self, user_id: str, id_: str) -> Item | None:
        return get_one(self._store, self._table, _key(user_id, id_))

    def _count(
        self, user_id: str, by: int, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> Item:
        update = {
            "TableName": self._table,
            "Key": encode_item(_key(user_id, _COUNT)),
            "UpdateExpression": "ADD pending :by",
            "ExpressionAttributeValues": encode_item({":by": by, **(values or {})}),
        }
        return {"Update": update | ({"ConditionExpression": condition} if condition else {})}


def _key(user_id: str, id_: str) -> Item:
    return {"user_id": user_id, "id": id_}


def _message(item: Mapping[str, Any]) -> ScheduledMessage:
    values = {one.name: item[one.name] for one in fields(ScheduledMessage)}
    return ScheduledMessage(**{**values, "status": ScheduledStatus(item["status"])})
