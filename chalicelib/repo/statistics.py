"""The table `statistics`: how many messages there were, an item for each day and partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.aws import JsonService
from chalicelib.models import DayCount
from chalicelib.repo.dynamodb import attempt, encode_item, get_all, query_all, table
from chalicelib.repo.queries import partition


class StatisticsRepository:
    """Counts, each with the offset that it reaches."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("statistics")

    def get(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], DayCount]:
        """The counts that exist, by day and partition, read strongly."""
        wanted = [{"day": day, "source": source} for day, source in keys]
        items = get_all(self._store, {self._table: wanted})[self._table]
        return {(item["day"], item["source"]): _count(item) for item in items}

    def of_day(self, day: str) -> list[DayCount]:
        """The counts of a day, of all partitions."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("day", day),
        )
        return [_count(item) for item in items]

    def replace(self, old: DayCount, new: DayCount) -> bool:
        """Writes a count; False when the stored one does not reach as far as the old one."""
        item = {
            "day": new.day,
            "source": new.source,
            "offset": new.offset,
            "messages": dict(new.messages),
        }
        return attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(#offset) OR #offset = :offset",
            ExpressionAttributeNames={"#offset": "offset"},
            ExpressionAttributeValues=encode_item({":offset": old.offset}),
        )


def _count(item: Mapping[str, object]) -> DayCount:
    return DayCount(**item)  # type: ignore[arg-type]
