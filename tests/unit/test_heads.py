from __future__ import annotations

from chalicelib.logic.heads import CurrentHeads
from chalicelib.models import WORLD, ConversationType, Head
from tests.fakes import FakeHeads, FakeLog, World
from tests.unit.test_delivery import ROOM, record, world_of_two, writer


def read(world: World, *ids: str) -> dict[str, Head]:
    return CurrentHeads(FakeHeads(world), FakeLog(world)).get_conversations(ids)


def test_a_head_that_stayed_behind_reads_as_if_it_had_been_written() -> None:
    world = world_of_two()
    service = writer(world)
    service.deliver([record(0, 1)])
    service.deliver([record(1, 2, sender="bob")])
    behind = world.heads[ROOM]
    assert behind.last_seq == 1

    found = read(world, ROOM)[ROOM]

    assert (found.last_seq, found.sent) == (2, {"ann": 1, "bob": 1})
    assert found.last == world.log(ROOM)[-1].text
    assert found.updated_at >= behind.updated_at


def test_a_head_that_was_never_written_is_made_from_the_log() -> None:
    world = world_of_two()
    writer(world).deliver([record(0, 1), record(0, 1, room=WORLD)])
    world.heads.clear()

    found = read(world, ROOM, WORLD)

    assert (found[ROOM].type, found[ROOM].last_seq) == (ConversationType.DIRECT, 1)
    assert (found[WORLD].type, found[WORLD].last_seq) == (ConversationType.WORLD, 1)


def test_a_head_with_nothing_behind_it_is_given_as_it_stands() -> None:
    world = world_of_two()
    opened = Head(id=ROOM, type=ConversationType.DIRECT, created_at="2026-11-21T00:00:00.000Z")
    world.heads[ROOM] = opened

    assert read(world, ROOM, ROOM) == {ROOM: opened}


def test_a_conversation_that_does_not_exist_has_no_head() -> None:
    assert read(World(), ROOM) == {}
