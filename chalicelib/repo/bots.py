"""The table `bots`: accounts that programs speak for; all in one partition, for they are few."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib.aws import JsonService
from chalicelib.models import Bot, Hears
from chalicelib.repo.dynamodb import Item, attempt, call, encode_item, get_one, query_all, table
from chalicelib.repo.queries import partition

_LIST = "all"


class BotRepository:
    """Bots in order of their ids; read strongly."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("bots")

    def all(self) -> list[Bot]:
        """Every one."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("list", _LIST),
        )
        return [_bot(item) for item in items]

    def get(self, user_id: str) -> Bot | None:
        """One of them."""
        item = get_one(self._store, self._table, _key(user_id))
        return _bot(item) if item else None

    def put(self, bot: Bot, *, new: bool) -> bool:
        """Writes one; False where it is to be changed and was removed meanwhile."""
        condition = {} if new else {"ConditionExpression": "attribute_exists(user_id)"}
        item = encode_item({**asdict(bot), "list": _LIST})
        return attempt(self._store, "PutItem", TableName=self._table, Item=item, **condition)

    def delete(self, user_id: str) -> None:
        """Removes one; none is no fault."""
        call(self._store, "DeleteItem", TableName=self._table, Key=encode_item(_key(user_id)))


def _key(user_id: str) -> Item:
    return {"list": _LIST, "user_id": user_id}


def _bot(item: Item) -> Bot:
    item.pop("list")
    return Bot(**{**item, "hears": Hears(item["hears"])})
