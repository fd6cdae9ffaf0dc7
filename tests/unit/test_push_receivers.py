from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from chalicelib.logic.audiences import Audience
from chalicelib.logic.push_receivers import PushReceivers
from chalicelib.logic.webhook_fanout import StoredTogether
from chalicelib.models import WORLD, Connection, Relation, direct_id, direct_members
from tests.fakes import World
from tests.fakes_accounts import Clock
from tests.fakes_integration import FakeReader
from tests.fakes_presence import FakeSettings
from tests.fakes_push import FakePushTokens, device

GROUP = "g-1"
DIRECT = direct_id("ann", "bob")


class Desk:
    """Ann writes to bob, and to a group; everybody has a phone and nobody is there."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reader = FakeReader()
        self.devices = FakePushTokens()
        self.joined = dict.fromkeys(("ann", "bob", "cat"), 0)
        self.online: set[str] = set()
        self.gone: set[str] = set()
        self.blocks: set[tuple[str, str]] = set()
        self.settings = FakeSettings(World())
        self.asked = 0
        for user_id in self.joined:
            self.devices.put(device(user_id))
        self.receivers = PushReceivers(
            audiences=self,
            devices=self.devices,
            reader=self.reader,
            connections=self,
            settings=self.settings,
            relations=self,
            clock=self.clock,
        )

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]:
        self.asked += 1
        return {
            key: Audience(dict.fromkeys(direct_members(key) or (), 0) or self.joined)
            for key in conversation_ids
        }

    def live(self, user_ids: Iterable[str]) -> Mapping[str, Sequence[Connection]]:
        there = Connection(
            id="c", user_id="", device_id="", session_id="", connected_at=0.0, expires_at=0.0
        )
        return {
            one: [there] if one in self.online else [] for one in user_ids if one not in self.gone
        }

    def correspondents(self, user_id: str, other_ids: Sequence[str]) -> Mapping[str, Relation]:
        return {
            one: Relation(
                users=(user_id, one),
                blocked_by=frozenset({one} if (one, user_id) in self.blocks else ()),
            )
            for one in other_ids
        }

    def find(self, room: str, *seqs: int, most: int = 500) -> dict[str, int]:
        """Who is to be notified, and of which message."""
        senders = {seq: self.reader.rows[room, seq]["sender_id"] for seq in seqs}
        stored = StoredTogether(
            trace_id="t1", conversation_id=room, conversation_type="", senders=senders
        )
        found = self.receivers.of(stored, max_members=most)
        return {one.user_id: one.message["seq"] for one in found}

    def look_ahead(self, *rooms: str, most: int = 500) -> None:
        """A batch with a message in each of these begins."""
        stored = (
            StoredTogether(trace_id="", conversation_id=room, conversation_type="", senders={})
            for room in rooms
        )
        self.receivers.look_ahead(stored, max_members=most)

    def say(self, sender_id: str = "ann", room: str = GROUP, **more: Any) -> dict[str, int]:
        """The same, of one such message."""
        self.reader.add(room, 5, sender_id, **more)
        return self.find(room, 5)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_everybody_but_the_sender_is_notified(desk: Desk) -> None:
    assert desk.say() == {"bob": 5, "cat": 5}
    assert desk.say(room=DIRECT) == {"bob": 5}


@pytest.mark.req("APP-11")
def test_who_has_a_live_connection_is_not(desk: Desk) -> None:
    desk.online = {"bob"}

    assert desk.say() == {"cat": 5}


def test_who_has_no_device_is_not_and_nothing_is_read_for_them(desk: Desk) -> None:
    desk.devices.rows.clear()

    assert desk.say() == {}
    assert desk.reader.asked == 0


@pytest.mark.parametrize(("seconds", "notified"), [(60.0, False), (-60.0, True)])
def test_a_muted_conversation_makes_no_noise_until_its_mute_ends(
    desk: Desk, seconds: float, notified: bool
) -> None:
    desk.settings.change("bob", GROUP, {"muted_until": desk.clock.now + seconds})

    assert ("bob" in desk.say(mentions=["bob"])) is notified


@pytest.mark.req("APP-6")
def test_who_has_blocked_the_sender_is_not(desk: Desk) -> None:
    desk.blocks = {("bob", "ann"), ("ann", "cat")}

    assert desk.say() == {"cat": 5}


def test_who_does_not_exist_any_more_is_not(desk: Desk) -> None:
    desk.gone = {"bob"}

    assert desk.say() == {"cat": 5}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "system", "content": '{"event": "group.created"}'},
        {"recalled": True, "content": ""},
        {"content": "", "expires_at": "2026-01-01T00:00:00.000Z"},
    ],
)
def test_system_lines_and_tombstones_are_nothing_to_tell(
    desk: Desk, message: dict[str, Any]
) -> None:
    assert desk.say(**message) == {}


def test_of_several_messages_each_gets_the_newest_of_somebody_else(desk: Desk) -> None:
    desk.joined["cat"] = 7
    for seq, sender_id in ((5, "ann"), (6, "bob"), (7, "bob")):
        desk.reader.add(GROUP, seq, sender_id)

    assert desk.find(GROUP, 5, 6, 7) == {"ann": 7, "bob": 5}


def test_groups_above_the_size_and_the_world_room_are_left_out(desk: Desk) -> None:
    desk.reader.add(GROUP, 5, "ann")
    desk.reader.add(WORLD, 5, "ann")

    assert desk.find(GROUP, 5, most=3) == {"bob": 5, "cat": 5}
    assert desk.find(GROUP, 5, most=2) == {}
    asked = desk.asked
    assert desk.find(WORLD, 5) == {}
    assert desk.asked == asked


def test_of_a_batch_only_conversations_with_devices_are_looked_at(desk: Desk) -> None:
    other = direct_id("dan", "eve")
    for room in (DIRECT, other, WORLD):
        desk.reader.add(room, 5, "ann")

    desk.look_ahead(DIRECT, other, WORLD)
    asked = desk.asked

    assert desk.find(other, 5) == desk.find(WORLD, 5) == {}
    assert desk.asked == asked
    assert desk.find(DIRECT, 5) == {"bob": 5}


def test_who_has_a_new_device_is_notified_from_the_next_batch_on(desk: Desk) -> None:
    desk.devices.rows.clear()
    desk.look_ahead(GROUP)
    desk.devices.put(device("bob"))
    assert desk.say() == {}

    desk.look_ahead(GROUP)

    assert desk.say() == {"bob": 5}


def test_of_a_group_above_the_size_no_devices_are_read(desk: Desk) -> None:
    read: list[set[str]] = []
    desk.devices.of = lambda ids: read.append(set(ids)) or {}  # type: ignore[method-assign,func-returns-value]

    desk.look_ahead(GROUP, DIRECT, most=2)

    assert read == [{"ann", "bob"}]
