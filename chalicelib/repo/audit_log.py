"""The table `audit-log`: what operators did, an item for each action, by month; expires."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib.aws import JsonService
from chalicelib.models import AuditEntry, unix_seconds
from chalicelib.repo.dynamodb import Item, call, encode_item, query_all, table

_DAY_SECONDS = 24 * 3600


class AuditLogRepository:
    """Entries, in order of their times.

    Args:
        store: DynamoDB.
        kept_days: When an entry expires.
    """

    def __init__(self, store: JsonService, *, kept_days: int) -> None:
        self._store = store
        self._kept_days = kept_days
        self._table = table("audit-log")

    def put(self, entry: AuditEntry) -> None:
        """Writes an entry, in place of the same one with an earlier result."""
        item = {
            **asdict(entry),
            "month": entry.at[:7],
            "sk": f"{entry.at}#{entry.id}",
            "ttl": int(unix_seconds(entry.at)) + self._kept_days * _DAY_SECONDS,
        }
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))

    def page(self, month: str, *, before: str | None, limit: int) -> list[AuditEntry]:
        """Entries of a month, the newest first, before a time and id (``{at}#{id}``)."""
        condition, values = "#month = :month", {":month": month}
        if before is not None:
            condition, values = f"{condition} AND sk < :before", {**values, ":before": before}
        items = query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#month": "month"},
            ExpressionAttributeValues=encode_item(values),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_entry(item) for item in items]


def _entry(item: Item) -> AuditEntry:
    return AuditEntry(
        id=item["id"],
        at=item["at"],
        actor=item["actor"],
        action=item["action"],
        target=item["target"],
        trace_id=item["trace_id"],
        result=item["result"],
        details=item["details"],
    )
