"""The guarantees of the contract, on the pure part, with the process dying at every point."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logic.delivery import DeliveryService
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.log import SEAL_AT, Submission
from chalicelib.logic.own_messages import OwnMessages
from chalicelib.logic.receivers import Receivers
from chalicelib.models import WORLD, ConversationType, Head, direct_id, message_id
from tests.fakes import (
    CrashError,
    FakeConnections,
    FakeHeads,
    FakeLog,
    FakeMembers,
    FakeOffline,
    FakePush,
    World,
)
from tests.fakes_groups import audiences

ROOM = direct_id("ann", "bob")


def writer(world: World) -> DeliveryService:
    receivers = Receivers(
        audiences=audiences(world),
        members=FakeMembers(world),
        offline=FakeOffline(world),
        connections=FakeConnections(world),
        push=FakePush(world),
        drain=world.drained.extend,
        drain_later=world.drained_later.extend,
        push_chunks=world.chunks.extend,
        ended=world.ended.extend,
        clock=world.clock,
    )
    return DeliveryService(
        log=FakeLog(world),
        heads=FakeHeads(world),
        count=OwnMessages(FakeMembers(world), FakeConnections(world)).count,
        effects=receivers,
    )


def head(world: World, room: str = ROOM) -> Head:
    return CurrentHeads(FakeHeads(world), FakeLog(world)).get_conversations([room])[room]


def record(
    offset: int, *numbers: int, sender: str = "ann", room: str = ROOM, partition: int = 0
) -> Submission:
    return Submission(
        conversation_id=room,
        type=ConversationType.WORLD if room == WORLD else ConversationType.DIRECT,
        sender_id=sender,
        messages=[
            {
                "id": message_id(sender, room, f"{sender}{number}"),
                "conversation_id": room,
                "sender_id": sender,
                "seq": 0,
                "content": str(number),
                "created_at": "2026-11-21T00:00:00.000Z",
            }
            for number in numbers
        ],
        source=f"TASKS-{partition}",
        offset=offset,
    )


def world_of_two() -> World:
    world = World()
    world.user("ann", "conn-ann")
    world.user("bob", "conn-bob")
    return world


def received(world: World, connection_id: str) -> list[tuple[int, str]]:
    frames = [json.loads(text) for text in world.received[connection_id]]
    return [
        (one["seq"], one["content"])
        for frame in frames
        if frame["type"] == "messages"
        for one in frame["messages"]
    ]


def contents(world: World, room: str = ROOM) -> list[tuple[int, str]]:
    return [(one.seq, json.loads(one.text)["content"]) for one in world.log(room)]


@pytest.mark.req("APP-11", "IM-11")
def test_a_message_is_stored_and_pushed_to_both_sides() -> None:
    world = world_of_two()

    writer(world).deliver([record(0, 1), record(1, 2, sender="bob")])

    assert contents(world) == [(1, "1"), (2, "2")]
    assert received(world, "conn-ann") == received(world, "conn-bob") == [(1, "1"), (2, "2")]
    assert head(world).last_seq == 2
    assert head(world).sent == {"ann": 1, "bob": 1}


def test_a_receiver_without_a_connection_gets_a_pointer_to_the_first_missed_message() -> None:
    world = World()
    world.user("ann", "conn-ann")
    world.user("bob")
    deliver = writer(world).deliver

    deliver([record(0, 1)])
    deliver([record(1, 2)])

    assert world.pointers == {("bob", ROOM): 1}


def test_a_gone_connection_alone_is_removed_and_its_user_gets_a_pointer() -> None:
    world = world_of_two()
    world.connect("bob", "conn-bob-2")
    world.gone.add("conn-bob")

    writer(world).deliver([record(0, 1)])

    assert list(world.users["bob"]["live"]) == ["conn-bob-2"]
    assert received(world, "conn-bob-2") == [(1, "1")]
    assert world.pointers == {("bob", ROOM): 1}


def test_a_connection_that_is_still_opening_stays_and_is_drained() -> None:
    world = World()
    world.user("ann", "conn-ann")
    world.user("bob")
    opening = world.connect("bob", "conn-bob", at=world.now - 1)
    world.gone.add("conn-bob")

    writer(world).deliver([record(0, 1)])

    assert world.drained == [opening]
    assert world.pointers == {("bob", ROOM): 1}
    assert list(world.users["bob"]["live"]) == ["conn-bob"]


def test_a_connection_that_appears_while_the_pointer_is_written_is_drained() -> None:
    world = World()
    world.user("ann", "conn-ann")
    world.user("bob")

    def connect_after_pointer(name: str) -> None:
        if name == "after pointer":
            world.connect("bob", "conn-bob")

    world.step = connect_after_pointer

    writer(world).deliver([record(0, 1)])

    assert [one.id for one in world.drained] == ["conn-bob"]


@pytest.mark.req("BRK-7")
def test_a_connection_that_pushes_do_not_reach_is_drained_later_once_for_its_pointer() -> None:
    world = world_of_two()
    world.push_is_away = True
    one = writer(world)
    one.deliver([record(0, 1)])
    one.deliver([record(1, 2)])

    assert [connection.user_id for connection in world.drained_later] == ["bob"]
    assert world.drained == []
    assert world.pointers == {("bob", ROOM): 1}


def test_a_redelivered_record_is_not_stored_again_but_is_delivered_again() -> None:
    world = world_of_two()
    writer(world).deliver([record(0, 1)])

    writer(world).deliver([record(0, 1), record(1, 2)])

    assert contents(world) == [(1, "1"), (2, "2")]
    assert received(world, "conn-bob") == [(1, "1"), (1, "1"), (2, "2")]


@pytest.mark.req("APP-14")
def test_a_message_that_the_client_sent_again_is_neither_stored_nor_delivered_again() -> None:
    world = world_of_two()
    service = writer(world)
    service.deliver([record(0, 1)])

    service.deliver([record(7, 1)])

    assert contents(world) == [(1, "1")]
    assert received(world, "conn-bob") == [(1, "1")]


def test_a_message_is_known_again_long_after_its_digest_left_the_head() -> None:
    world = world_of_two()
    service = writer(world)
    for offset in range(SEAL_AT * 3):
        service.deliver([record(offset, offset)])

    writer(world).deliver([record(10_000, 0), record(10_001, SEAL_AT), record(10_002, 999)])

    assert len(world.heads[ROOM].digests) <= 8 * SEAL_AT
    assert contents(world)[-1] == (SEAL_AT * 3 + 1, "999")
    assert len(contents(world)) == SEAL_AT * 3 + 1


def test_a_late_second_writer_neither_overwrites_nor_leaves_a_hole() -> None:
    world = world_of_two()
    late, current = writer(world), writer(world)
    late.deliver([record(0, 1)])
    current.deliver([record(1, 2), record(2, 3)])

    late.deliver([record(1, 2)])
    late.deliver([record(3, 4)])

    assert contents(world) == [(1, "1"), (2, "2"), (3, "3"), (4, "4")]


def test_a_head_that_stayed_behind_is_rebuilt_from_the_log() -> None:
    world = world_of_two()
    crash_once(world, "before head")
    with pytest.raises(CrashError):
        writer(world).deliver([record(0, 1)])

    writer(world).deliver([record(0, 1)])

    assert head(world).last_seq == 1
    assert contents(world) == [(1, "1")]


def test_everybody_online_gets_what_is_said_in_the_world_room() -> None:
    world = world_of_two()
    world.user("cat", "conn-cat")

    writer(world).deliver([record(0, 1, room=WORLD)])

    assert received(world, "conn-cat") == [(1, "1")]
    assert world.pointers == {}
    assert world.members[WORLD, "ann"].own == 1


def crash_once(world: World, at: str) -> None:
    def step(name: str) -> None:
        if name == at:
            world.step = lambda _name: None
            raise CrashError(name)

    world.step = step


def crashes(world: World, at: Iterator[int]) -> None:
    """Dies after so many steps, then after so many more, and so on."""
    left = [next(at, None)]

    def step(name: str) -> None:
        if left[0] is None:
            return
        left[0] -= 1
        if left[0] < 0:
            left[0] = next(at, None)
            raise CrashError(name)

    world.step = step


@settings(max_examples=150, deadline=None)
@given(
    senders=st.lists(st.sampled_from(["ann", "bob"]), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 4), min_size=12, max_size=12),
    dies=st.lists(st.integers(0, 14), max_size=12),
    room=st.sampled_from([ROOM, WORLD]),
    bob_online=st.booleans(),
    two_writers=st.booleans(),
)
def test_nothing_is_lost_doubled_or_disordered_wherever_the_process_dies(
    senders: list[str],
    cuts: list[int],
    dies: list[int],
    room: str,
    bob_online: bool,
    two_writers: bool,
) -> None:
    world = World()
    world.user("ann", "conn-ann")
    world.user("bob", *(["conn-bob"] if bob_online else []))
    records = [record(at, at, sender=sender, room=room) for at, sender in enumerate(senders)]
    crashes(world, iter(dies))
    writers = [writer(world), writer(world)]
    turn = 0

    while records:
        size = cuts[turn % len(cuts)]
        turn += 1
        who = turn % 2 if two_writers else 0
        try:
            writers[who].deliver(records[:size])
        except CrashError:
            writers[who] = writer(world)  # the batch is delivered again, perhaps cut differently
            continue
        records = records[size:]

    expected = [(at + 1, str(at)) for at in range(len(senders))]
    assert contents(world, room) == expected
    assert head(world, room).last_seq == len(senders)
    assert sorted(set(received(world, "conn-ann"))) == expected
    if bob_online:
        assert sorted(set(received(world, "conn-bob"))) == expected
    elif room == ROOM and "ann" in senders:
        assert world.pointers["bob", ROOM] <= senders.index("ann") + 1
    if room == WORLD:
        for user in set(senders):
            assert world.members[WORLD, user].own == senders.count(user)
