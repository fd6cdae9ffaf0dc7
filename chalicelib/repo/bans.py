"""The table `bans`: an item for each banned user; index `by_time` lists them; expires with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict

from chalicelib.aws import JsonService
from chalicelib.models import Ban
from chalicelib.repo.dynamodb import Item, call, encode_item, get_one, table
from chalicelib.repo.queries import partition, query_page

_LIST = "bans"  # the one partition of the index: bans are few


class BanRepository:
    """Bans; one that has ended is as good as none."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("bans")

    def put(self, ban: Ban) -> None:
        """Stores a ban in place of the user's earlier one."""
        item = {**asdict(ban), "list": _LIST}
        if ban.until is not None:
            item["ttl"] = int(ban.until) + 1
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(item))

    def get(self, user_id: str) -> Ban | None:
        """The ban of a user, read strongly."""
        item = get_one(self._store, self._table, {"user_id": user_id})
        ban = _ban(item) if item else None
        return ban if ban and ban.holds(self._clock()) else None

    def delete(self, user_id: str) -> None:
        """Removes a user's ban; none is no fault."""
        key = encode_item({"user_id": user_id})
        call(self._store, "DeleteItem", TableName=self._table, Key=key)

    def page(self, *, after: Item | None, limit: int) -> tuple[list[Ban], Item | None]:
        """Some bans, the newest first, read from the index: the latest may be missing.

        Args:
            after: Where the page before ended.
            limit: How many at the most.

        Returns:
            The bans, and where the next page begins; None at the end.
        """
        items, following = query_page(
            self._store,
            after=after,
            TableName=self._table,
            IndexName="by_time",
            **partition("list", _LIST),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [ban for ban in map(_ban, items) if ban.holds(self._clock())], following


def _ban(item: Item) -> Ban:
    return Ban(
        user_id=item["user_id"],
        banned_by=item["banned_by"],
        banned_at=float(item["banned_at"]),
        until=item["until"],
        reason=item["reason"],
    )
