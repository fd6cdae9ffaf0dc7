"""The table `connections`, a user's item in it: whether they are there, and who may know.

Beside the map of live connections (`repo/connections.py`) it has `show_to`, and `told`: what
friends were told last. A connection that looks away has `away` in its entry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import PresenceState, PresenceStatus, ShowPresence
from chalicelib.repo.dynamodb import Item, decode_item, encode_item, get_all, table, write_all


class PresenceRepository:
    """Reads and changes what is known of users' presence; nobody is made by a change."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("connections")

    def states(self, user_ids: Iterable[str]) -> dict[str, PresenceState]:
        """The states of users who exist, read strongly."""
        keys = [_key(user_id) for user_id in dict.fromkeys(user_ids)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {item["pk"]: self._state(item) for item in items if "deleted_at" not in item}

    def set_away(self, user_id: str, connection_id: str, *, away: bool) -> PresenceState | None:
        """Notes whether somebody looks at a connection; None when it is not there."""
        return self._update(
            user_id,
            "SET live.#id.away = :value",
            "attribute_exists(live.#id)",
            away,
            ExpressionAttributeNames={"#id": connection_id},
        )

    def set_told(self, user_id: str, status: PresenceStatus) -> PresenceState | None:
        """Notes what friends were told, and says how things stand after that."""
        return self._update(user_id, "SET told = :value", "attribute_exists(pk)", status.value)

    def set_show_to(self, user_id: str, show_to: ShowPresence) -> PresenceState | None:
        """Writes who may know."""
        return self._update(user_id, "SET show_to = :value", "attribute_exists(pk)", show_to.value)

    def _update(
        self, user_id: str, update: str, condition: str, value: object, **more: Any
    ) -> PresenceState | None:
        arguments = {
            "TableName": self._table,
            "Key": encode_item(_key(user_id)),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": encode_item({":value": value}),
            "ReturnValues": "ALL_NEW",
            **more,
        }
        result = write_all(self._store, (("UpdateItem", arguments),))[0]
        return self._state(decode_item(result["Attributes"])) if result else None

    def _state(self, item: Mapping[str, Any]) -> PresenceState:
        return PresenceState(
            user_id=item["pk"],
            status=self._status(item["live"].values()),
            last_seen=item.get("last_seen"),
            show_to=ShowPresence(item.get("show_to", ShowPresence.EVERYBODY)),
            told=PresenceStatus(item.get("told", PresenceStatus.OFFLINE)),
        )

    def _status(self, entries: Iterable[Mapping[str, Any]]) -> PresenceStatus:
        now = self._clock()
        away = [bool(entry.get("away")) for entry in entries if entry["until"] > now]
        if not away:
            return PresenceStatus.OFFLINE
        return PresenceStatus.AWAY if all(away) else PresenceStatus.ONLINE


def _key(user_id: str) -> Item:
    return {"pk": user_id, "sk": "live"}
