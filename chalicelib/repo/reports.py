"""The table `reports`: what moderators are told; index `by_status` lists them; expires."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib.aws import JsonService
from chalicelib.models import Report, ReportStatus, unix_seconds
from chalicelib.repo.dynamodb import Item, attempt, encode_item, get_one, table
from chalicelib.repo.queries import partition, query_page

_KEPT_SECONDS = 400 * 24 * 3600


class ReportRepository:
    """Reports by id, and by status in order of their times."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("reports")

    def add(self, report: Report) -> Report:
        """Stores a report; the one that is there where it was stored before."""
        item = {**asdict(report), "ttl": int(unix_seconds(report.created_at)) + _KEPT_SECONDS}
        is_new = attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(id)",
        )
        return report if is_new else self.get(report.id) or report

    def get(self, report_id: str) -> Report | None:
        """A report, read strongly."""
        item = get_one(self._store, self._table, {"id": report_id})
        return _report(item) if item else None

    def resolve(self, report_id: str, *, by: str, at: str, note: str) -> bool:
        """Marks an open report as dealt with; False where there is no such one."""
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"id": report_id}),
            UpdateExpression="SET #status = :done, resolved_by = :by, resolved_at = :at, note = :n",
            ConditionExpression="#status = :open",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=encode_item(
                {
                    ":done": ReportStatus.RESOLVED.value,
                    ":open": ReportStatus.OPEN.value,
                    ":by": by,
                    ":at": at,
                    ":n": note,
                }
            ),
        )

    def page(
        self, status: ReportStatus, *, after: Item | None, limit: int
    ) -> tuple[list[Report], Item | None]:
        """Some reports, the oldest first, read from the index: the latest may be missing.

        Args:
            status: Of all of them.
            after: Where the page before ended.
            limit: How many at the most.

        Returns:
            The reports, and where the next page begins; None at the end.
        """
        items, following = query_page(
            self._store,
            after=after,
            TableName=self._table,
            IndexName="by_status",
            **partition("status", status.value),
            Limit=limit,
        )
        return [_report(item) for item in items], following


def _report(item: Item) -> Report:
    item.pop("ttl")
    return Report(**{**item, "status": ReportStatus(item["status"])})
