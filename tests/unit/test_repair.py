from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.logic.log import SEAL_AT
from chalicelib.logic.repair import RepairService
from chalicelib.models import WORLD, ConversationMember, ConversationType, Head
from tests.fakes import FakeMembers, World
from tests.fakes_repair import FakeLogs, FakeStoredHeads
from tests.unit.test_delivery import ROOM, record, world_of_two, writer

ANN = (ROOM, "ann")


def repair(world: World) -> RepairService:
    return RepairService(
        heads=FakeStoredHeads(world),
        log=FakeLogs(world),
        places=FakeMembers(world),
        clock=world.clock,
    )


def problems(world: World) -> list[str]:
    return [one.text for one in repair(world).check()]


def chat(count: int = 20, room: str = ROOM) -> World:
    """Two people who wrote in turn, a segment a message."""
    world = world_of_two()
    service = writer(world)
    for at in range(count):
        service.deliver([record(at, at, sender="bob" if at % 3 else "ann", room=room)])
    return world


@pytest.fixture(params=[ROOM, WORLD])
def world(request: pytest.FixtureRequest) -> World:
    return chat(room=request.param)


def room_of(world: World) -> str:
    (room,) = world.heads
    return room


def test_what_was_delivered_contradicts_nothing(world: World) -> None:
    assert problems(world) == []
    assert list(repair(world).rebuild_heads()) == list(repair(world).rebuild_places()) == []


def test_conversations_without_a_message_contradict_nothing() -> None:
    world = world_of_two()
    opened = Head(id=ROOM, type=ConversationType.DIRECT, created_at="2026-11-21T00:00:00.000Z")
    world.heads[ROOM] = opened

    assert problems(world) == []


def test_a_hole_in_a_log_is_found_and_nothing_is_derived_from_it(world: World) -> None:
    room = room_of(world)
    del world.segments[room][7]
    before = dict(world.heads)

    assert problems(world)[0] == "log: expected 7, found 8 to 8"
    left = "left as it is: its log has a hole"
    assert [one.text for one in repair(world).rebuild_heads()] == [left]
    assert [one.text for one in repair(world).rebuild_places()] == [left]
    assert world.heads == before


def test_an_id_that_is_not_one_of_ours_is_told_and_the_others_are_looked_at(world: World) -> None:
    segment = world.segments[room_of(world)][2]
    strange = replace(segment.messages[0], id="no-hash")
    world.segments[room_of(world)][2] = replace(segment, messages=(strange,))

    assert problems(world)[0] == "log: an id between 2 and 2 is not one of ours"
    left = "left as it is: its log has a hole"
    assert [one.text for one in repair(world).rebuild_heads()] == [left]


@pytest.mark.parametrize("missing", [4, 20])
def test_a_head_beyond_its_log_is_written_back(world: World, missing: int) -> None:
    """As after a restore of `messages` to an earlier moment than `conversations`."""
    room = room_of(world)
    for seq in range(21 - missing, 21):
        del world.segments[room][seq]
    assert any("is not the end of a segment" in text for text in problems(world))

    list(repair(world).rebuild_heads())
    list(repair(world).rebuild_places())

    assert problems(world) == []
    assert world.heads[room].last_seq == 20 - missing
    (placed,) = writer(world).deliver([record(900, 900, room=room)])
    assert placed.seq == 21 - missing


def test_heads_that_are_lost_are_derived_and_later_repetitions_are_recognised(world: World) -> None:
    room, kept = room_of(world), dict(world.heads)
    world.heads.clear()
    assert problems(world) == ["head: missing, the log ends at 20"]

    (done,) = repair(world).rebuild_heads()

    assert (done.conversation_id, done.text) == (room, "head written, last_seq 20")
    assert world.heads[room].type is kept[room].type
    sent_again = record(900, 19, sender="bob" if 19 % 3 else "ann", room=room)
    assert writer(world).deliver([sent_again]) == []
    assert problems(world) == []


def test_digests_of_a_long_log_go_into_a_block_and_old_ones_are_forgotten() -> None:
    world = chat(SEAL_AT + 10)
    world.heads.clear()
    world.blocks.clear()

    list(repair(world).rebuild_heads())

    assert world.heads[ROOM].digests == b""
    assert writer(world).deliver([record(900, 3)]) == [], "an old message, sent again"

    world.heads.clear()
    world.blocks.clear()
    world.now += 10**9
    list(repair(world).rebuild_heads())
    assert world.heads[ROOM].sealed_seq == world.heads[ROOM].last_seq
    assert world.blocks[ROOM] == {}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"sent": {"ann": 1}}, "head: sent is not what the log says"),
        ({"digests": b"12345678"}, "head: digests is not what the log says"),
        ({"offset": 3}, "head: place in Kafka is not what the log says"),
    ],
)
def test_a_head_that_is_wrong_in_itself_is_found_and_mended(
    damage: dict[str, object], said: str
) -> None:
    world = chat()
    world.heads[ROOM] = replace(world.heads[ROOM], changed_seq=5, **damage)  # type: ignore[arg-type]

    assert problems(world) == [said]
    list(repair(world).rebuild_heads())
    assert problems(world) == []
    assert world.heads[ROOM].changed_seq == 5


def test_a_place_beyond_the_log_or_with_a_wrong_count_is_found_and_mended() -> None:
    world = chat()
    row = world.members[ANN]
    world.members[ANN] = replace(row, read_seq=99, delivered_seq=99, own=1)

    (said,) = problems(world)
    (done,) = repair(world).rebuild_places()

    assert said == (
        "place of ann: read_seq 99, by the log 20; delivered_seq 99, by the log 20; "
        "own 1, by the log 7"
    )
    assert done.text == "place of ann written"
    assert problems(world) == []


def test_a_head_that_somebody_else_writes_meanwhile_stays(world: World) -> None:
    room = room_of(world)
    world.heads[room] = replace(world.heads[room], offset=1)

    class Busy(FakeStoredHeads):
        def restore(self, head: Head, seen: Head | None) -> bool:
            return False

    service = RepairService(
        heads=Busy(world), log=FakeLogs(world), places=FakeMembers(world), clock=world.clock
    )

    assert [one.text for one in service.rebuild_heads()] == ["somebody else wrote the head"]


def test_more_members_than_a_page_are_looked_at() -> None:
    world = chat(room=WORLD)
    for at in range(250):
        row = ConversationMember(conversation_id=WORLD, user_id=f"u{at}", delivered_seq=at)
        world.members[WORLD, row.user_id] = row

    assert len(problems(world)) == 229
