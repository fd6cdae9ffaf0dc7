"""The table `webhooks`: receivers of events; all in one partition, for they are few."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib.aws import JsonService
from chalicelib.models import Webhook
from chalicelib.repo.dynamodb import Item, attempt, call, encode_item, query_all, table
from chalicelib.repo.queries import partition

_LIST = "all"


class WebhookRepository:
    """Receivers in order of their ids; read strongly."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("webhooks")

    def all(self) -> list[Webhook]:
        """Every one."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("list", _LIST),
        )
        return [_webhook(item) for item in items]

    def put(self, webhook: Webhook, *, new: bool) -> bool:
        """Writes one; False where it is to be changed and was removed meanwhile."""
        condition = {} if new else {"ConditionExpression": "attribute_exists(id)"}
        item = encode_item({**asdict(webhook), "list": _LIST})
        return attempt(self._store, "PutItem", TableName=self._table, Item=item, **condition)

    def delete(self, webhook_id: str) -> None:
        """Removes one; none is no fault."""
        key = encode_item({"list": _LIST, "id": webhook_id})
        call(self._store, "DeleteItem", TableName=self._table, Key=key)


def _webhook(item: Item) -> Webhook:
    item.pop("list")
    return Webhook(**{**item, "events": tuple(item["events"])})
