"""The table `relations`: friends, friend requests and blocks.

| item | pk | sk | holds |
|---|---|---|---|
| pair | id of their direct conversation | `pair` | how the two stand, with a version |
| friend | user id | `friend#` + the other's id | remark, since when |
| block | user id | `block#` + the other's id | since when |
| request | user id | `received#` or `sent#` + request id | the request, once for each of the two |

The pair decides; the others are written in the same transaction, for lists and look-ups. The index
`by_time` has the requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import (
    Block,
    Friend,
    FriendRequest,
    Relation,
    RequestStatus,
    direct_id,
    rfc3339,
)
from chalicelib.repo.dynamodb import (
    Item,
    decode_item,
    encode_item,
    get_all,
    query_all,
    table,
    transact,
    write_all,
)

DECIDED_SECONDS = 30 * 24 * 3600  # how long a request that was answered is kept


class RelationRepository:
    """Reads and changes how users stand.

    Lists come in pages, each with where the next one starts, None at the end.
    """

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("relations")

    def get(self, one: str, other: str) -> Relation:
        """How two users stand, read strongly."""
        found = get_all(self._store, {self._table: [_pair_key(one, other)]})
        return _relation(one, other, found[self._table])

    def correspondent(self, user_id: str, other_id: str) -> Relation | None:
        """The same, None when the other one does not exist."""
        return self.correspondents(user_id, (other_id,)).get(other_id)

    def correspondents(self, user_id: str, other_ids: Sequence[str]) -> dict[str, Relation]:
        """How a user stands with those of others who exist; read in one call for 50 of them."""
        users = table("connections")
        wanted = {
            users: [_key(one, "live") for one in other_ids],
            self._table: [_pair_key(user_id, one) for one in other_ids],
        }
        found = get_all(self._store, wanted)
        pairs = {item["pk"]: [item] for item in found[self._table]}
        exist = [item["pk"] for item in found[users] if "deleted_at" not in item]
        return {
            one: _relation(user_id, one, pairs.get(direct_id(user_id, one), ())) for one in exist
        }

    def replace(self, old: Relation, new: Relation, requests: Sequence[FriendRequest] = ()) -> bool:
        """Writes how two users stand now, and all that follows from it, in one transaction.

        Args:
            old: As it was read.
            new: As it shall be; the version is counted on here.
            requests: Those that are new or answered. What else was pending and is no more goes.

        Returns:
            False when it is no longer as ``old`` says: read it again.
        """
        writes = [
            self._pair(old, new),
            *self._friends(old, new),
            *self._blocks(old, new),
            *self._requests(old, new, requests),
        ]
        return transact(self._store, writes)

    def set_remark(self, user_id: str, friend_id: str, remark: str) -> Friend | None:
        """Writes what a user calls a friend; None when they are no friends."""
        update = {
            "TableName": self._table,
            "Key": encode_item(_key(user_id, f"friend#{friend_id}")),
            "UpdateExpression": "SET remark = :remark",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": encode_item({":remark": remark}),
            "ReturnValues": "ALL_NEW",
        }
        result = write_all(self._store, (("UpdateItem", update),))[0]
        return _friend(decode_item(result["Attributes"])) if result else None

    def request(self, user_id: str, direction: str, request_id: str) -> FriendRequest | None:
        """A request that a user ``received`` or ``sent``, read strongly."""
        key = _key(user_id, f"{direction}#{request_id}")
        found = get_all(self._store, {self._table: [key]})[self._table]
        return _request(found[0]) if found else None

    def requests(
        self, user_id: str, direction: str, *, start: str | None, limit: int
    ) -> tuple[list[FriendRequest], str | None]:
        """Requests that a user ``received`` or ``sent``, the newest first."""
        items, position = self._page(user_id, direction, start, limit, newest_first=True)
        return [_request(item) for item in items], position

    def friends(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Friend], str | None]:
        """A user's friends, in order of their ids."""
        items, position = self._page(user_id, "friend", start, limit)
        return [_friend(item) for item in items], position

    def blocks(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Block], str | None]:
        """Whom a user has blocked, in order of their ids."""
        items, position = self._page(user_id, "block", start, limit)
        return [Block(user_id=_rest(i["sk"]), created_at=i["created_at"]) for i in items], position

    def _page(
        self, user_id: str, kind: str, start: str | None, limit: int, *, newest_first: bool = False
    ) -> tuple[list[Item], str | None]:
        order = "listed_at" if newest_first else "sk"
        low, high = f"{kind}#", f"{kind}$"  # `$` comes next after `#`
        if start is not None:
            low, high = (low, low + start) if newest_first else (low + start, high)
        items = query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression=f"pk = :pk AND {order} BETWEEN :low AND :high",
            ExpressionAttributeValues=encode_item({":pk": user_id, ":low": low, ":high": high}),
            Limit=limit + 1,
            **({"IndexName": "by_time", "ScanIndexForward": False} if newest_first else {}),
        )
        following = items[limit:]
        return items[:limit], _rest(following[0][order]) if following else None

    def _pair(self, old: Relation, new: Relation) -> Item:
        item = {
            **_pair_key(*new.users),
            "version": old.version + 1,
            "friends": new.friends,
            "requests": dict(new.requests),
            "blocked_by": sorted(new.blocked_by),
        }
        put = {
            "TableName": self._table,
            "Item": encode_item(item),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if old.version:
            put["ConditionExpression"] = "version = :old"
            put["ExpressionAttributeValues"] = encode_item({":old": old.version})
        return {"Put": put}

    def _friends(self, old: Relation, new: Relation) -> Iterator[Item]:
        if old.friends != new.friends:
            for user, other in (new.users, new.users[::-1]):
                item = {**_key(user, f"friend#{other}"), "remark": "", "created_at": self._now()}
                yield self._put(item) if new.friends else self._delete(item)

    def _blocks(self, old: Relation, new: Relation) -> Iterator[Item]:
        for user, other in (new.users, new.users[::-1]):
            item = {**_key(user, f"block#{other}"), "created_at": self._now()}
            if user in new.blocked_by - old.blocked_by:
                yield self._put(item)
            elif user in old.blocked_by - new.blocked_by:
                yield self._delete(item)

    def _requests(
        self, old: Relation, new: Relation, requests: Sequence[FriendRequest]
    ) -> Iterator[Item]:
        for request in requests:
            for key in _request_keys(request.id, request.sender_id, request.receiver_id):
                yield self._put(self._request_item(key, request))
        kept = {*new.requests.values(), *(request.id for request in requests)}
        for sender, request_id in old.requests.items():
            if request_id not in kept:
                (receiver,) = set(old.users) - {sender}
                yield from map(self._delete, _request_keys(request_id, sender, receiver))

    def _request_item(self, key: Item, request: FriendRequest) -> Item:
        direction = key["sk"].partition("#")[0]
        listed_at = f"{direction}#{request.created_at}#{request.id}"
        item = {**key, **asdict(request), "listed_at": listed_at}
        if request.status is not RequestStatus.PENDING:
            item["ttl"] = int(self._clock()) + DECIDED_SECONDS
        return item

    def _put(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table, "Item": encode_item(item)}}

    def _delete(self, item: Item) -> Item:
        key = encode_item(_key(item["pk"], item["sk"]))
        return {"Delete": {"TableName": self._table, "Key": key}}

    def _now(self) -> str:
        return rfc3339(self._clock())


def _key(pk: str, sk: str) -> Item:
    return {"pk": pk, "sk": sk}


def _pair_key(one: str, other: str) -> Item:
    return _key(direct_id(one, other), "pair")


def _request_keys(request_id: str, sender: str, receiver: str) -> tuple[Item, Item]:
    return _key(receiver, f"received#{request_id}"), _key(sender, f"sent#{request_id}")


def _rest(key: str) -> str:
    return key.partition("#")[2]


def _relation(one: str, other: str, found: Sequence[Mapping[str, Any]]) -> Relation:
    users = (min(one, other), max(one, other))
    if not found:
        return Relation(users=users)
    values = {name: found[0][name] for name in ("version", "friends", "requests")}
    return Relation(users=users, blocked_by=frozenset(found[0]["blocked_by"]), **values)


def _request(item: Mapping[str, Any]) -> FriendRequest:
    values = {one.name: item[one.name] for one in fields(FriendRequest)}
    return FriendRequest(**{**values, "status": RequestStatus(item["status"])})


def _friend(item: Mapping[str, Any]) -> Friend:
    return Friend(user_id=_rest(item["sk"]), created_at=item["created_at"], remark=item["remark"])
