"""The table `groups`: requests to join a group, and invite links.

| item | pk | sk | holds |
|---|---|---|---|
| group | group id | `group` | see `groups` |
| request | group id | `request#` + user id | who wants to join |
| link | group id | `link#` + its id | who made it, how often it was used; expires |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import InviteLink, JoinRequest
from chalicelib.repo.dynamodb import Item, call, encode_item, get_all, put_all, query_all, table
from chalicelib.repo.groups import item_key


class InvitationRepository:
    """Reads and writes requests and links; `GroupRepository.change` answers and uses them.

    Lists come in pages, each with where the next one starts, None at the end.
    """

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("groups")

    def ask(self, request: JoinRequest) -> None:
        """Stores a request; another one of the same user takes its place."""
        item = {**item_key(request.group_id, f"request#{request.user_id}"), **asdict(request)}
        put_all(self._store, self._table, [item])

    def request(self, group_id: str, user_id: str) -> JoinRequest | None:
        """A user's request, read strongly."""
        item = self._item(group_id, f"request#{user_id}")
        return _request(item) if item else None

    def requests(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[JoinRequest], str | None]:
        """The requests, in order of the users' ids."""
        items, position = self._page(group_id, "request", start, limit)
        return [_request(item) for item in items], position

    def withdraw(self, group_id: str, user_id: str) -> bool:
        """Removes a request; False where there is none."""
        return self._delete(group_id, f"request#{user_id}")

    def add_link(self, link: InviteLink) -> None:
        """Stores a new link."""
        item = {**item_key(link.group_id, f"link#{link.id}"), **asdict(link)}
        put_all(self._store, self._table, [{**item, "ttl": int(link.expires_at) + 1}])

    def link(self, group_id: str, link_id: str) -> InviteLink | None:
        """A link, which may have expired; read strongly."""
        item = self._item(group_id, f"link#{link_id}")
        return _link(item) if item else None

    def links(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[InviteLink], str | None]:
        """The links, in order of their ids."""
        items, position = self._page(group_id, "link", start, limit)
        return [_link(item) for item in items], position

    def revoke(self, group_id: str, link_id: str) -> bool:
        """Removes a link; False where there is none."""
        return self._delete(group_id, f"link#{link_id}")

    def _item(self, group_id: str, sk: str) -> Item | None:
        found = get_all(self._store, {self._table: [item_key(group_id, sk)]})[self._table]
        return found[0] if found else None

    def _delete(self, group_id: str, sk: str) -> bool:
        key = encode_item(item_key(group_id, sk))
        answer = call(
            self._store, "DeleteItem", TableName=self._table, Key=key, ReturnValues="ALL_OLD"
        )
        return "Attributes" in answer

    def _page(
        self, group_id: str, kind: str, start: str | None, limit: int
    ) -> tuple[list[Item], str | None]:
        values = {":pk": group_id, ":low": f"{kind}#{start or ''}", ":high": f"{kind}$"}
        items = query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",  # `$` follows `#`
            ExpressionAttributeValues=encode_item(values),
            Limit=limit + 1,
        )
        following: Sequence[Item] = items[limit:]
        return items[:limit], following[0]["sk"].partition("#")[2] if following else None


def _request(item: Mapping[str, Any]) -> JoinRequest:
    return JoinRequest(**{one.name: item[one.name] for one in fields(JoinRequest)})


def _link(item: Mapping[str, Any]) -> InviteLink:
    return InviteLink(**{one.name: item[one.name] for one in fields(InviteLink)})
