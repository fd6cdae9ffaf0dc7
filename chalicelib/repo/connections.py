"""The table `connections`: who is connected, by user, and for the world room by shard.

| item | pk | sk | holds |
|---|---|---|---|
| user | user id | `live` | map of live connections, `world_seq`, `last_seen`, `deleted_at` |
| online | `online#0` … `online#3` | connection id | user, device, times; expires |
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Connection
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    encode_item,
    get_all,
    query_all,
    table,
    write_all,
)

MAX_PER_USER = 30
SHARDS = 4  # a partition of DynamoDB writes 1,000 units a second; connects are at most 500


class ConnectionRepository:
    """Registers connections and finds them."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("connections")

    def open_user(self, user_id: str, world_seq: int) -> None:
        """Creates the item of a new user; one that exists stays as it is."""
        item = {**_user_key(user_id), "live": {}, "world_seq": world_seq}
        attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(pk)",
        )

    def close_user(self, user_id: str) -> None:
        """Notes in a user's item that there is no such user any more; connections stay in it."""
        attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_user_key(user_id)),
            UpdateExpression="SET deleted_at = :now",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues=encode_item({":now": self._clock()}),
        )

    def users(self, user_ids: Iterable[str]) -> dict[str, Item]:
        """The users' items, read strongly; who never existed is not in it.

        The item of a deleted user has ``deleted_at``.
        """
        keys = [_user_key(user_id) for user_id in dict.fromkeys(user_ids)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {item["pk"]: item for item in items}

    def live(self, user_ids: Iterable[str]) -> dict[str, list[Connection]]:
        """The live connections of each user, read strongly."""
        found = self.users(user_ids)
        return {user_id: self.connections_in(item) for user_id, item in found.items()}

    def connections_in(self, item: Mapping[str, Any]) -> list[Connection]:
        """The connections of a user's item that have not expired."""
        now = self._clock()
        return [
            _connection(item["pk"], connection_id, entry)
            for connection_id, entry in item["live"].items()
            if entry["until"] > now
        ]

    def online(self) -> list[Connection]:
        """Every live connection of every user, from the shards, read strongly."""
        now = self._clock()
        return [one for one in self.registered() if one.expires_at > now]

    def registered(self) -> list[Connection]:
        """The same, and those that have expired and are not removed yet."""
        pages = (
            query_all(
                self._store,
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=encode_item({":pk": f"online#{shard}"}),
            )
            for shard in range(SHARDS)
        )
        return [_connection(item["user_id"], item["sk"], item) for items in pages for item in items]

    def add(self, connection: Connection) -> list[Connection]:
        """Registers a connection.

        Returns:
            The user's connections that had to give way: expired, or the oldest beyond 30.
        """
        entry = _entry(connection)
        user, online = self._puts(connection, entry)
        evicted: list[Connection] = []
        while write_all(self._store, (user,))[0] is None:
            evicted.extend(self._make_room(connection.user_id))
        write_all(self._store, (online,))
        return evicted

    def remove(self, user_id: str, connection_ids: Iterable[str], *, seen: bool = False) -> None:
        """Removes exactly these connections; ``seen`` notes the time as the user's last."""
        write_all(
            self._store,
            (
                call
                for connection_id in connection_ids
                for call in self._removals(user_id, connection_id, seen=seen)
            ),
        )

    def _puts(self, connection: Connection, entry: Item) -> tuple[Any, Any]:
        user = {
            "TableName": self._table,
            "Key": encode_item(_user_key(connection.user_id)),
            "UpdateExpression": "SET live.#id = :entry",
            "ConditionExpression": "size(live) < :most OR attribute_exists(live.#id)",
            "ExpressionAttributeNames": {"#id": connection.id},
            "ExpressionAttributeValues": encode_item({":entry": entry, ":most": MAX_PER_USER}),
        }
        online = {
            **entry,
            "pk": _shard(connection.id),
            "sk": connection.id,
            "user_id": connection.user_id,
            "ttl": int(connection.expires_at) + 60,
        }
        put = {"TableName": self._table, "Item": encode_item(online)}
        return ("UpdateItem", user), ("PutItem", put)

    def _removals(self, user_id: str, connection_id: str, *, seen: bool) -> list[Any]:
        update = "REMOVE live.#id"
        more: dict[str, Any] = {}
        if seen:
            update += " SET last_seen = :now"
            more["ExpressionAttributeValues"] = encode_item({":now": self._clock()})
        user = {
            "TableName": self._table,
            "Key": encode_item(_user_key(user_id)),
            "UpdateExpression": update,
            "ConditionExpression": "attribute_exists(live.#id)",
            "ExpressionAttributeNames": {"#id": connection_id},
            **more,
        }
        online = {
            "TableName": self._table,
            "Key": encode_item({"pk": _shard(connection_id), "sk": connection_id}),
            "ConditionExpression": "attribute_not_exists(pk) OR user_id = :user",
            "ExpressionAttributeValues": encode_item({":user": user_id}),
        }
        return [("UpdateItem", user), ("DeleteItem", online)]

    def _make_room(self, user_id: str) -> list[Connection]:
        item = self.users((user_id,)).get(user_id)
        if item is None:
            self.open_user(user_id, 0)
            return []
        entries = [_connection(user_id, key, entry) for key, entry in item["live"].items()]
        now = self._clock()
        going = [one for one in entries if one.expires_at <= now]
        if not going and len(entries) >= MAX_PER_USER:
            going = [min(entries, key=lambda one: one.connected_at)]
        self.remove(user_id, [one.id for one in going])
        return going


def _shard(connection_id: str) -> str:
    return f"online#{zlib.crc32(connection_id.encode()) % SHARDS}"


def _user_key(user_id: str) -> dict[str, str]:
    return {"pk": user_id, "sk": "live"}


def _entry(connection: Connection) -> Item:
    return {
        "device": connection.device_id,
        "session": connection.session_id,
        "at": connection.connected_at,
        "until": connection.expires_at,
    }


def _connection(user_id: str, connection_id: str, entry: Mapping[str, Any]) -> Connection:
    return Connection(
        id=connection_id,
        user_id=user_id,
        device_id=entry["device"],
        session_id=entry["session"],
        connected_at=entry["at"],
        expires_at=entry["until"],
    )
