from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chalicelib.errors import NotMemberError
from chalicelib.logic.directory import Directory
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.own_messages import world_member
from chalicelib.logic.receivers import GRACE_SECONDS
from chalicelib.logic.sync import MAX_MESSAGES, MAX_ROOM_BACKLOG, SyncService, Undrained
from chalicelib.models import WORLD, ConversationMember, direct_id
from tests.fakes import (
    FakeConnections,
    FakeHeads,
    FakeLog,
    FakeMembers,
    FakeOffline,
    FakePush,
    FakeSessions,
    World,
)
from tests.fakes_changes import reader
from tests.fakes_groups import group_access
from tests.fakes_relations import open_access
from tests.unit.test_delivery import ROOM, received, record, writer

NOTHING = Undrained([], [])


def service(
    world: World,
    sessions: FakeSessions | None = None,
    sleep: Callable[[float], None] = lambda _seconds: None,
) -> SyncService:
    def new_place(conversation_id: str, user_id: str) -> ConversationMember:
        return world_member(user_id, world.users[user_id])

    return SyncService(
        access=open_access(Directory(FakeConnections(world), world.clock), world),
        reader=reader(world),
        heads=CurrentHeads(FakeHeads(world), FakeLog(world)),
        pointers=FakeOffline(world),
        places=FakeMembers(world),
        connections=FakeConnections(world),
        sessions=sessions or FakeSessions(),
        push=FakePush(world),
        large_groups=group_access(world).large_groups,
        new_place=new_place,
        clock=world.clock,
        sleep=sleep,
    )


def world_with(messages: int, room: str = ROOM) -> World:
    world = World()
    world.user("ann")
    world.user("bob")
    if messages:
        writer(world).deliver([record(0, *range(messages), room=room)])
    return world


@pytest.mark.req("APP-11")
def test_a_new_connection_gets_the_backlog_in_order() -> None:
    world = world_with(3)
    connection = world.connect("bob", "conn", at=world.now)

    assert service(world).drain([connection]) == NOTHING
    assert [seq for seq, _ in received(world, "conn")] == [1, 2, 3]


def test_a_connection_that_is_still_opening_is_tried_again_until_it_takes_the_backlog() -> None:
    world = world_with(1)
    connection = world.connect("bob", "conn", at=world.now)
    world.gone.add("conn")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            world.gone.clear()

    assert service(world, sleep=sleep).drain([connection]) == NOTHING
    assert received(world, "conn") == [(1, "0")]


def test_a_connection_that_does_not_open_in_time_is_handed_back_and_later_removed() -> None:
    world = world_with(1)
    connection = world.connect("bob", "conn", at=world.now)
    world.gone.add("conn")

    assert service(world).drain([connection]) == Undrained([connection], [])
    world.now += GRACE_SECONDS + 1
    assert service(world).drain([connection]) == NOTHING
    assert world.users["bob"]["live"] == {}


@pytest.mark.req("BRK-7")
def test_a_connection_that_pushes_do_not_reach_is_handed_back_for_later_and_stays() -> None:
    world = world_with(1)
    connection = world.connect("bob", "conn", at=world.now - GRACE_SECONDS - 1)
    world.push_is_away = True

    assert service(world).drain([connection]) == Undrained([], [connection])
    world.push_is_away = False
    assert service(world).drain([connection]) == NOTHING

    assert received(world, "conn") == [(1, "0")]
    assert world.users["bob"]["live"].keys() == {"conn"}


def test_a_connection_whose_session_was_revoked_meanwhile_is_closed() -> None:
    world = world_with(1)
    connection = world.connect("bob", "conn", at=world.now - GRACE_SECONDS - 1)

    assert service(world, FakeSessions(revoked=True)).drain([connection]) == NOTHING
    assert world.gone == {"conn"}
    assert received(world, "conn") == []


def test_a_connection_that_is_still_opening_is_closed_later() -> None:
    world = world_with(1)
    connection = world.connect("bob", "conn", at=world.now)
    revoked = FakeSessions(revoked=True)

    world.gone.add("conn")
    slept: list[float] = []

    assert service(world, revoked, slept.append).drain([connection]) == Undrained([], [connection])
    assert slept == [], "no batch waits for it"
    world.now += GRACE_SECONDS + 1
    assert service(world, revoked).drain([connection]) == NOTHING
    assert received(world, "conn") == []


def test_a_connection_that_was_closed_meanwhile_gets_nothing() -> None:
    world = world_with(1)
    connection = world.connect("bob", "conn", at=world.now)
    world.users["bob"]["live"].clear()

    assert service(world).drain([connection]) == NOTHING
    assert received(world, "conn") == []


def test_sync_sends_what_is_after_the_cursors() -> None:
    world = world_with(5)

    more = service(world).sync("bob", "conn", {ROOM: 3})

    assert [seq for seq, _ in received(world, "conn")] == [4, 5]
    assert more is False


def test_sync_of_a_long_gap_comes_in_parts() -> None:
    world = world_with(MAX_MESSAGES + 5)

    assert service(world).sync("bob", "conn", {ROOM: 0}) is True
    assert service(world).sync("bob", "conn", {ROOM: MAX_MESSAGES}) is False
    assert [seq for seq, _ in received(world, "conn")] == list(range(1, MAX_MESSAGES + 6))


def test_sync_of_a_conversation_of_others_is_refused() -> None:
    world = world_with(1)

    with pytest.raises(NotMemberError):
        service(world).sync("cat", "conn", {direct_id("ann", "bob"): 0})


def test_the_world_room_is_read_from_where_it_stood_at_registration() -> None:
    world = world_with(3, WORLD)
    world.user("cat", world_seq=2)

    service(world).sync("cat", "conn", None)

    assert [seq for seq, _ in received(world, "conn")] == [3]


def test_a_long_absence_from_the_world_room_is_only_announced() -> None:
    world = world_with(MAX_ROOM_BACKLOG + 1, WORLD)

    service(world).sync("bob", "conn", None)

    assert [json.loads(text) for text in world.received["conn"]] == [
        {"type": "notify", "conversation_id": WORLD, "last_seq": MAX_ROOM_BACKLOG + 1}
    ]
