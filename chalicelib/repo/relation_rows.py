"""The rows of one user in the table `relations`, to be removed for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import RelationRow
from chalicelib.repo.dynamodb import encode_item, query_all, table, write_all
from chalicelib.repo.queries import partition

_OTHER = {"received": "sender_id", "sent": "receiver_id"}
_COPY = {"received": "sent", "sent": "received"}


class RelationRowRepository:
    """Lists and removes a user's friends, blocks and requests; the pairs stay as they are."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("relations")

    def some(self, user_id: str, limit: int) -> list[RelationRow]:
        """The first rows of a user, read strongly; none when there are none."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("pk", user_id),
            Limit=limit,
        )
        return [_row(user_id, item) for item in items]

    def remove(self, rows: Sequence[RelationRow]) -> None:
        """Removes rows, and what the other one has of them; a block is only one's own."""
        keys = (key for row in rows for key in _keys(row))
        calls = (
            ("DeleteItem", {"TableName": self._table, "Key": encode_item(key)}) for key in keys
        )
        write_all(self._store, calls)


def _row(user_id: str, item: dict[str, Any]) -> RelationRow:
    kind, _, rest = item["sk"].partition("#")
    other_id = item[_OTHER[kind]] if kind in _OTHER else rest
    return RelationRow(user_id=user_id, other_id=other_id, kind=kind, id=rest)


def _keys(row: RelationRow) -> Iterator[dict[str, str]]:
    yield {"pk": row.user_id, "sk": f"{row.kind}#{row.id}"}
    if row.kind in _COPY:
        yield {"pk": row.other_id, "sk": f"{_COPY[row.kind]}#{row.id}"}
    elif row.kind == "friend":
        yield {"pk": row.other_id, "sk": f"friend#{row.user_id}"}
