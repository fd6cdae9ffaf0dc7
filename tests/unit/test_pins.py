from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chalicelib.errors import (
    ForbiddenError,
    LimitReachedError,
    MessageNotFoundError,
    NotMemberError,
)
from chalicelib.logic.pins import MAX_PINS, HideService, PinService
from chalicelib.logic.policies import MessagePolicy
from chalicelib.models import WORLD, Pin
from tests.fakes import FakeHeads, FakeLog
from tests.fakes_changes import FakeChanges, mentions, readable, reader
from tests.fakes_groups import audiences, group_access
from tests.fakes_relations import FakeNotices, open_access
from tests.unit.test_changes import GROUP, ROOM, Changes, FakeDirectory


class Pinning:
    def __init__(self, room: str = ROOM, *, members_may_pin: bool = False) -> None:
        self.on = Changes(room)
        world = self.on.world
        self.notices = FakeNotices()
        self.table = FakeChanges(world)
        self.pins = PinService(
            groups=group_access(world),
            messages=readable(world),
            pins=self.table,
            audiences=audiences(world),
            tell=self.notices.tell,
            policy=lambda: MessagePolicy(members_may_pin=members_may_pin),
            clock=world.clock,
        )
        self.hiding = HideService(
            access=open_access(FakeDirectory(world), world),
            log=FakeLog(world),
            heads=FakeHeads(world),
            hidden=self.table,
            hide_mention=mentions(world).hide,
            tell=self.notices.tell,
        )

    def pinned(self, user: str = "bob") -> list[int]:
        room = self.on.room
        found = self.pins.pinned(user, room)
        assert all(json.loads(placed.text)["seq"] == pin.seq for pin, placed in found)
        return [pin.seq for pin, _ in found]


def test_both_pin_in_a_direct_conversation_and_both_are_told_once() -> None:
    one = Pinning()

    for _ in range(2):
        one.pins.pin("ann", ROOM, 1)
        one.pins.pin("bob", ROOM, 2)
    assert one.pinned() == [2, 1]
    for _ in range(2):
        one.pins.unpin("bob", ROOM, 1)

    assert one.pinned("ann") == [2]
    assert one.notices.events("ann") == ["message.pinned"] * 2 + ["message.unpinned"]


def test_in_groups_admins_pin_or_everybody_as_the_policy_says() -> None:
    one, free = Pinning(GROUP), Pinning(GROUP, members_may_pin=True)

    one.pins.pin("owen", GROUP, 1)
    free.pins.pin("ann", GROUP, 1)
    for call in (one.pins.pin, one.pins.unpin):
        with pytest.raises(ForbiddenError):
            call("ann", GROUP, 1)

    assert one.pinned("ann") == free.pinned("bob") == [1]
    assert one.notices.events("bob") == ["message.pinned"]


def test_of_a_large_group_only_who_pins_is_told() -> None:
    one = Pinning(GROUP)
    one.on.world.groups[GROUP] = replace(one.on.world.groups[GROUP], large=True)

    one.pins.pin("owen", GROUP, 1)

    assert (one.notices.events("owen"), one.notices.events("ann")) == (["message.pinned"], [])


def test_pins_are_refused() -> None:
    one, world = Pinning(), Pinning(WORLD)

    for call in (one.pins.pin, one.pins.unpin):
        with pytest.raises(NotMemberError):
            call("cat", ROOM, 1)
    with pytest.raises(NotMemberError):
        one.pins.pinned("cat", ROOM)
    with pytest.raises(MessageNotFoundError):
        one.pins.pin("ann", ROOM, 9)
    with pytest.raises(ForbiddenError):
        world.pins.pin("ann", WORLD, 1)
    for seq in range(10, 10 + MAX_PINS):
        one.table.pin(ROOM, Pin(seq=seq, pinned_by="ann", pinned_at=""))
    with pytest.raises(LimitReachedError):
        one.pins.pin("ann", ROOM, 1)


def test_a_message_that_somebody_deletes_for_themselves_stays_for_the_other() -> None:
    one = Pinning()

    for _ in range(2):
        one.hiding.hide("bob", ROOM, 1)

    def content(user: str) -> str:
        found = reader(one.on.world).at(user, ROOM, (1,))
        return str(json.loads(found[1].text)["content"])

    assert (content("bob"), content("ann")) == ("", "1")
    assert one.on.world.heads[ROOM].changed_seq == 1
    assert set(one.notices.told[0][:2]) == {"bob", "message.deleted"}
    with pytest.raises(MessageNotFoundError):
        one.hiding.hide("bob", ROOM, 9)
    with pytest.raises(NotMemberError):
        one.hiding.hide("cat", ROOM, 1)
