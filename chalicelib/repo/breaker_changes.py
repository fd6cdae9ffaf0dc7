"""The table `breaker-changes`: which circuit breakers changed their state, for some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from chalicelib.aws import JsonService
from chalicelib.models import BreakerChange
from chalicelib.repo.dynamodb import encode_item, query_all, table, write_all
from chalicelib.repo.queries import partition

KEPT_SECONDS = 7 * 24 * 3600


class BreakerChangeRepository:
    """The changes of all processes; the same one twice is one item."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("breaker-changes")

    def put(self, changes: Sequence[BreakerChange]) -> None:
        """Keeps changes."""
        puts = ({"TableName": self._table, "Item": encode_item(_item(one))} for one in changes)
        write_all(self._store, (("PutItem", put) for put in puts))

    def latest(self, name: str, limit: int) -> list[BreakerChange]:
        """The latest changes of a breaker, the newest first."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("name", name),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [
            BreakerChange(
                name=item["name"],
                old_state=item["old_state"],
                new_state=item["new_state"],
                process=item["process"],
                at=float(item["at"]),
            )
            for item in items
        ]


def _item(change: BreakerChange) -> dict[str, object]:
    # Two processes may change at the same moment.
    place = f"{change.at:017.3f}#{change.process}#{change.new_state}"
    return {**asdict(change), "sk": place, "ttl": int(change.at) + KEPT_SECONDS}
