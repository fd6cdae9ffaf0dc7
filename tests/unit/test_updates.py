from __future__ import annotations

import json

from chalicelib.logic.updates import Updates
from chalicelib.models import WORLD, Placed
from tests.fakes import FakeConnections, FakePush, World
from tests.fakes_groups import audiences, grouped
from tests.unit.test_delivery import ROOM, world_of_two


def push(world: World, *placed: Placed) -> None:
    updates = Updates(
        audiences=audiences(world),
        connections=FakeConnections(world),
        push=FakePush(world),
        push_chunks=world.chunks.extend,
    )
    updates.push(placed)


def message(room: str = ROOM, seq: int = 1) -> Placed:
    return Placed(room, seq, "ann", "m1", json.dumps({"seq": seq, "content": "new"}))


def told(world: World, connection_id: str) -> list[object]:
    return [json.loads(text) for text in world.received[connection_id]]


def test_every_device_of_both_gets_the_whole_message() -> None:
    world = world_of_two()
    world.connect("ann", "conn-ann2")

    push(world, message())

    frame = {"type": "updated", "message": {"seq": 1, "content": "new"}}
    assert [told(world, one) for one in ("conn-ann", "conn-ann2", "conn-bob")] == [[frame]] * 3


def test_who_joined_a_group_later_is_not_told_of_what_was_before() -> None:
    world = world_of_two()
    grouped(world, "g-1", "ann", "bob")
    row = world.members["g-1", "bob"]
    world.members["g-1", "bob"] = type(row)(conversation_id="g-1", user_id="bob", joined_seq=5)

    push(world, message("g-1", 5), message("g-1", 6))

    assert len(told(world, "conn-ann")) == 2
    assert len(told(world, "conn-bob")) == 1


def test_of_the_world_room_everybody_who_is_online_is_told() -> None:
    world = world_of_two()

    push(world, message(WORLD))

    assert len(told(world, "conn-ann")) == len(told(world, "conn-bob")) == 1


def test_a_large_group_is_told_in_chunks_and_others_at_once() -> None:
    world = world_of_two()
    grouped(world, "g-1", "ann", "bob", large=True)

    push(world, message("g-1", 3), message())

    (chunk,) = world.chunks
    assert (chunk.conversation_id, chunk.first_seq, chunk.last_seq, chunk.updated) == (
        "g-1",
        3,
        3,
        True,
    )
    assert [len(told(world, one)) for one in ("conn-ann", "conn-bob")] == [1, 1]
