"""Fakes at the ports of presence and settings, in the same in-memory world as `fakes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.errors import UnavailableError
from chalicelib.models import (
    Connection,
    ConversationSettings,
    PresenceState,
    PresenceStatus,
    ShowPresence,
)
from tests.fakes import World


class FakePresenceStates:
    """What is known of users' presence; `World.step` runs before and after each change."""

    def __init__(self, world: World) -> None:
        self._world = world

    def states(self, user_ids: Iterable[str]) -> dict[str, PresenceState]:
        found = {key: self._world.users[key] for key in user_ids if key in self._world.users}
        return {key: self._state(item) for key, item in found.items() if "deleted_at" not in item}

    def set_away(self, user_id: str, connection_id: str, *, away: bool) -> PresenceState | None:
        item = self._world.users.get(user_id, {"live": {}})
        if connection_id not in item["live"]:
            return None
        marked = item.setdefault("away", set())
        (marked.add if away else marked.discard)(connection_id)
        return self._state(item)

    def set_told(self, user_id: str, status: PresenceStatus) -> PresenceState | None:
        self._world.step("before told")
        return self._set(user_id, "told", status)

    def set_show_to(self, user_id: str, show_to: ShowPresence) -> PresenceState | None:
        return self._set(user_id, "show_to", show_to)

    def _set(self, user_id: str, name: str, value: object) -> PresenceState | None:
        if user_id not in self._world.users:
            return None
        self._world.users[user_id][name] = value
        return self._state(self._world.users[user_id])

    def _state(self, item: Mapping[str, Any]) -> PresenceState:
        live = [key for key, one in item["live"].items() if one.expires_at > self._world.now]
        status = PresenceStatus.ONLINE if live else PresenceStatus.OFFLINE
        if live and set(live) <= item.get("away", set()):
            status = PresenceStatus.AWAY
        return PresenceState(
            user_id=item["pk"],
            status=status,
            last_seen=item.get("last_seen"),
            show_to=item.get("show_to", ShowPresence.EVERYBODY),
            told=item.get("told", PresenceStatus.OFFLINE),
        )


class FakeOutbox:
    """Keeps what was enqueued."""

    def __init__(self, world: World, drain: Callable[[Iterable[Connection]], None]) -> None:
        self._world = world
        self.drain = drain
        self.now: list[str] = []
        self.later: list[str] = []
        self.is_away = False

    def close(self, connections: Sequence[Connection]) -> None:
        self._world.closing.extend(connections)

    def presence(self, user_ids: Iterable[str]) -> None:
        if self.is_away:
            raise UnavailableError
        self.now.extend(user_ids)

    def presence_later(self, user_ids: Iterable[str]) -> None:
        self.later.extend(user_ids)


class FakeSettings:
    """Settings of conversations."""

    def __init__(self, world: World) -> None:
        self.rows = world.settings

    def get(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ConversationSettings]:
        return {pair: self.rows[pair] for pair in pairs if pair in self.rows}

    def of_user(self, user_id: str) -> dict[str, ConversationSettings]:
        return {key: row for (user, key), row in self.rows.items() if user == user_id}

    def change(
        self, user_id: str, conversation_id: str, changes: Mapping[str, Any]
    ) -> ConversationSettings:
        new = ConversationSettings(conversation_id=conversation_id)
        row = replace(self.rows.get((user_id, conversation_id), new), **changes)
        self.rows[user_id, conversation_id] = row
        return row

    def remove(self, user_id: str, conversation_ids: Iterable[str]) -> None:
        for conversation_id in conversation_ids:
            self.rows.pop((user_id, conversation_id), None)
