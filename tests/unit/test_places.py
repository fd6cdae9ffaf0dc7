from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.errors import ForbiddenError, InvalidQueryError, NotMemberError
from chalicelib.logic.directory import Directory
from chalicelib.logic.places import PlaceService, reached
from chalicelib.models import WORLD, AckStatus, ConversationMember
from tests.fakes import FakeConnections, FakeMembers, World
from tests.fakes_groups import FakeGroups, grouped
from tests.fakes_relations import open_access
from tests.unit.test_delivery import ROOM

pytestmark = pytest.mark.req("APP-13")


def service(world: World) -> PlaceService:
    directory = Directory(FakeConnections(world), world.clock)
    return PlaceService(
        access=open_access(directory, world), groups=FakeGroups(world), members=FakeMembers(world)
    )


def world_of(*users: str, **group: object) -> World:
    world = World()
    for user in users:
        world.user(user)
    grouped(world, "g-1", *users, **group)
    return world


def move(world: World, user: str, room: str = "g-1", **places: int) -> None:
    row = world.members.get((room, user), ConversationMember(conversation_id=room, user_id=user))
    world.members[room, user] = replace(row, **places)  # type: ignore[arg-type]


def page(world: World, user: str, room: str = "g-1", **query: object) -> list[str]:
    wanted = {"seq": None, "start": None, "limit": 100, **query}
    rows, _ = service(world).page(user, room, **wanted)  # type: ignore[arg-type]
    return [row.user_id for row in rows]


def test_the_others_are_listed_in_pages() -> None:
    world = world_of("ann", "bob", "cat", "dan")

    first, following = service(world).page("bob", "g-1", seq=None, start=None, limit=3)
    rest, end = service(world).page("bob", "g-1", seq=None, start=following, limit=3)

    assert [row.user_id for row in (*first, *rest)] == ["ann", "cat", "dan"]
    assert end is None


def test_of_a_message_those_are_left_out_who_joined_after_it() -> None:
    world = world_of("ann", "bob", "cat")
    move(world, "cat", joined_seq=5)

    assert page(world, "ann", seq=5) == ["bob"]
    assert page(world, "ann", seq=6) == ["bob", "cat"]


def test_of_a_message_before_one_joined_nothing_is_said() -> None:
    world = world_of("ann", "bob")
    move(world, "bob", joined_seq=5)

    with pytest.raises(InvalidQueryError):
        page(world, "bob", seq=5)


def test_in_a_direct_conversation_it_is_the_other_even_without_a_row() -> None:
    world = world_of("ann", "bob")
    assert page(world, "ann", ROOM) == ["bob"]

    move(world, "bob", ROOM, read_seq=3, delivered_seq=4)
    ((row,), _) = service(world).page("ann", ROOM, seq=None, start=None, limit=1)

    assert (row.read_seq, row.delivered_seq) == (3, 4)


def test_how_far_one_message_has_come() -> None:
    row = ConversationMember(conversation_id=ROOM, user_id="bob", read_seq=3, delivered_seq=5)

    found = [reached(row, seq) for seq in (3, 4, 5, 6)]

    assert found == [AckStatus.READ, AckStatus.DELIVERED, AckStatus.DELIVERED, None]


def test_a_crowd_is_not_listed() -> None:
    world = world_of("ann", "bob", large=True)

    for room in ("g-1", WORLD):
        with pytest.raises(ForbiddenError):
            page(world, "ann", room)


def test_others_learn_nothing() -> None:
    world = world_of("ann", "bob")
    world.user("eve")

    for room in ("g-1", ROOM):
        with pytest.raises(NotMemberError):
            page(world, "eve", room)
