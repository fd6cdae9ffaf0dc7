"""Who is to be notified of messages: offline, with a device, and not averse to it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.logic.webhook_fanout import Audiences, Reader, StoredTogether
from chalicelib.models import (
    WORLD,
    Connection,
    ContentType,
    ConversationSettings,
    PushDevice,
    Relation,
    is_tombstone,
)

Message = Mapping[str, Any]


class Devices(Protocol):
    """The stored devices."""

    def of(self, user_ids: Iterable[str]) -> Mapping[str, Sequence[PushDevice]]: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, Sequence[Connection]]: ...


class Settings(Protocol):
    """What users want of conversations."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationSettings]: ...


class Relations(Protocol):
    """Who has blocked whom."""

    def correspondents(self, user_id: str, other_ids: Sequence[str]) -> Mapping[str, Relation]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReceiver:
    """Somebody who is to be notified, and the newest message that is theirs to read."""

    user_id: str
    devices: Sequence[PushDevice]
    message: Message


class PushReceivers:
    """Finds them; what is asked first is what rules most people out."""

    def __init__(
        self,
        *,
        audiences: Audiences,
        devices: Devices,
        reader: Reader,
        connections: Connections,
        settings: Settings,
        relations: Relations,
        clock: Callable[[], float],
    ) -> None:
        self._audiences = audiences
        self._devices = devices
        self._reader = reader
        self._connections = connections
        self._settings = settings
        self._relations = relations
        self._clock = clock
        self._silent: Set[str] = frozenset()

    def look_ahead(self, stored: Iterable[StoredTogether], *, max_members: int) -> None:
        """Finds out at once in which conversations of a batch nobody has a device: in most.

        Until the next batch `of` asks nothing about these.
        """
        self._silent = frozenset()
        audiences = self._audiences.of({one.conversation_id for one in stored} - {WORLD})
        small = {
            key: one.joined for key, one in audiences.items() if len(one.joined) <= max_members
        }
        devices = self._devices.of({user_id for joined in small.values() for user_id in joined})
        self._silent = {key for key, joined in small.items() if devices.keys().isdisjoint(joined)}

    def of(self, stored: StoredTogether, *, max_members: int) -> list[PushReceiver]:
        """The receivers of some messages of one conversation; none where it has more members."""
        room = stored.conversation_id
        if room == WORLD or room in self._silent:
            return []
        joined = self._audiences.of((room,))[room].joined
        devices = self._devices.of(joined) if len(joined) <= max_members else {}
        messages = self._messages(stored) if devices else []
        found = [
            PushReceiver(user_id=user_id, devices=own, message=newest)
            for user_id, own in devices.items()
            if (newest := _newest(messages, user_id, joined[user_id]))
        ]
        return self._unblocked(self._undisturbed(room, found))

    def _messages(self, stored: StoredTogether) -> list[Message]:
        """Those that people wrote and nobody took back, the newest first."""
        found = self._reader.at("", stored.conversation_id, stored.senders)
        bodies = [json.loads(found[seq].text) for seq in sorted(found, reverse=True)]
        return [
            one for one in bodies if one["type"] != ContentType.SYSTEM and not is_tombstone(one)
        ]

    def _undisturbed(self, room: str, found: Sequence[PushReceiver]) -> list[PushReceiver]:
        """Those who have no live connection, and have not muted the conversation."""
        live = self._connections.live(one.user_id for one in found)
        absent = [one for one in found if live.get(one.user_id) == []]
        settings = self._settings.get((one.user_id, room) for one in absent)
        now = self._clock()
        muted = {user_id for (user_id, _), one in settings.items() if one.muted_until > now}
        return [one for one in absent if one.user_id not in muted]

    def _unblocked(self, found: Sequence[PushReceiver]) -> list[PushReceiver]:
        """Those who exist, and have not blocked the sender."""
        by_sender: dict[str, dict[str, PushReceiver]] = defaultdict(dict)
        for one in found:
            by_sender[one.message["sender_id"]][one.user_id] = one
        return [
            receivers[user_id]
            for sender_id, receivers in by_sender.items()
            for user_id, relation in self._relations.correspondents(
                sender_id, list(receivers)
            ).items()
            if not relation.is_blocked(sender_id)
        ]


def _newest(messages: Sequence[Message], user_id: str, joined: int) -> Message | None:
    """The newest message of somebody else since a user joined."""
    theirs = (one for one in messages if one["sender_id"] != user_id and one["seq"] > joined)
    return next(theirs, None)
