from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.own_messages import OwnMessages
from chalicelib.models import WORLD, ConversationMember
from tests.fakes import FakeConnections, FakeMembers, World
from tests.fakes_groups import grouped
from tests.unit.test_delivery import ROOM
from tests.unit.test_receivers import placed

GROUP = "g-1"


class Contended(FakeMembers):
    """Somebody else is always faster."""

    def replace(self, old: ConversationMember, new: ConversationMember) -> bool:
        return False


def counter(world: World, members: FakeMembers | None = None) -> OwnMessages:
    return OwnMessages(members or FakeMembers(world), FakeConnections(world))


@pytest.fixture
def world() -> World:
    made = World()
    made.user("ann")
    made.user("bob")
    return made


def test_members_of_a_direct_conversation_are_written_with_its_first_message(world: World) -> None:
    counter(world).count(placed(2))
    assert world.members == {}

    counter(world).count(placed(1, 2))
    assert set(world.members) == {(ROOM, "ann"), (ROOM, "bob")}


def test_own_messages_in_the_world_room_are_counted_once_however_often_they_come(
    world: World,
) -> None:
    service = counter(world)

    service.count(placed(1, 2, room=WORLD))
    service.count(placed(2, 3, room=WORLD))

    row = world.members[WORLD, "ann"]
    assert (row.own, row.own_seq) == (3, 3)


def test_own_messages_that_were_read_already_are_not_counted(world: World) -> None:
    counter(world).count(placed(1, room=WORLD))
    row = world.members[WORLD, "ann"]
    world.members[WORLD, "ann"] = replace(row, read_seq=2, own=0)

    counter(world).count(placed(2, 3, room=WORLD))

    assert world.members[WORLD, "ann"].own == 1


def test_a_count_that_is_contended_without_end_is_tried_again_later(world: World) -> None:
    with pytest.raises(UnavailableError):
        counter(world, Contended(world)).count(placed(1, room=WORLD))


def test_own_messages_in_a_group_are_counted_once_and_for_members_only(world: World) -> None:
    grouped(world, GROUP, "ann", "bob")
    left = placed(4, sender="cat", room=GROUP)

    for _ in range(2):
        counter(world).count([*placed(1, 2, 2, room=GROUP), *left])

    assert world.members[GROUP, "ann"].own == 2
    assert world.members[GROUP, "bob"].own == 0
    assert (GROUP, "cat") not in world.members


def test_senders_in_several_rooms_are_counted_in_each(world: World) -> None:
    grouped(world, GROUP, "ann", "bob")

    counter(world).count([*placed(1, room=GROUP), *placed(1, 2, room=WORLD), *placed(1)])

    assert world.members[GROUP, "ann"].own == 1
    assert world.members[WORLD, "ann"].own == 2
    assert world.members[ROOM, "ann"].own == 0
