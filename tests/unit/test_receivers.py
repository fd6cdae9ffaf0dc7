from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from chalicelib.logic.receivers import GRACE_SECONDS, Receivers
from chalicelib.models import ConversationMember, Placed
from tests.fakes import FakeConnections, FakeMembers, FakeOffline, FakePush, World
from tests.fakes_groups import audiences
from tests.unit.test_delivery import ROOM, received


def receivers(world: World, members: FakeMembers | None = None) -> Receivers:
    return Receivers(
        audiences=audiences(world),
        members=members or FakeMembers(world),
        offline=FakeOffline(world),
        connections=FakeConnections(world),
        push=FakePush(world),
        drain=world.drained.extend,
        drain_later=world.drained_later.extend,
        push_chunks=world.chunks.extend,
        ended=world.ended.extend,
        clock=world.clock,
    )


def placed(*seqs: int, sender: str = "ann", room: str = ROOM) -> list[Placed]:
    return [
        Placed(room, seq, sender, f"m{seq}", f'{{"seq":{seq},"content":"{seq}"}}') for seq in seqs
    ]


def deliver(world: World, messages: Sequence[Placed]) -> None:
    service = receivers(world)
    service.leave_pointers(service.push(messages))


@pytest.fixture
def world() -> World:
    made = World()
    made.user("ann")
    made.user("bob")
    return made


def written(world: World) -> list[str]:
    """Records the pointers that are written from now on."""
    steps: list[str] = []
    world.step = lambda name: steps.append(name) if name == "before pointer" else None
    return steps


@pytest.mark.req("APP-11")
def test_a_pointer_is_written_once_and_not_again_while_it_stands(world: World) -> None:
    steps = written(world)

    deliver(world, placed(1, 2))
    deliver(world, placed(3))

    assert world.pointers == {("bob", ROOM): 1}
    assert len(steps) == 1


def test_a_sender_misses_nothing_of_their_own(world: World) -> None:
    deliver(world, [*placed(1), *placed(2, sender="bob")])

    assert world.pointers == {("bob", ROOM): 1, ("ann", ROOM): 2}


def test_a_pointer_is_never_left_at_or_below_what_was_delivered(world: World) -> None:
    row = ConversationMember(conversation_id=ROOM, user_id="bob", delivered_seq=2)
    world.members[ROOM, "bob"] = row

    deliver(world, placed(1, 2))
    assert world.pointers == {}

    deliver(world, placed(2, 3))
    assert world.pointers == {("bob", ROOM): 3}


def test_an_older_message_moves_the_pointer_back(world: World) -> None:
    world.pointers["bob", ROOM] = 5

    deliver(world, placed(3))

    assert world.pointers == {("bob", ROOM): 3}


def test_who_does_not_exist_any_more_gets_no_pointer(world: World) -> None:
    del world.users["bob"]

    deliver(world, placed(1))

    assert world.pointers == {}


def test_messages_that_come_twice_and_disordered_are_pushed_once_in_order(world: World) -> None:
    world.connect("bob", "conn")

    deliver(world, [*placed(2), *placed(1, 2)])

    assert received(world, "conn") == [(1, "1"), (2, "2")]


@pytest.mark.parametrize(("age", "stays"), [(GRACE_SECONDS - 1, True), (GRACE_SECONDS, False)])
def test_a_connection_that_takes_nothing_stays_only_while_it_may_be_opening(
    world: World, age: float, stays: bool
) -> None:
    connection = world.connect("bob", "conn", at=world.now - age)
    world.gone.add("conn")

    deliver(world, placed(1))

    assert list(world.users["bob"]["live"]) == (["conn"] if stays else [])
    assert world.drained == ([connection] if stays else [])
    assert world.pointers == {("bob", ROOM): 1}


def test_a_stale_connection_is_forgotten_and_no_other(world: World) -> None:
    for user_id, name in (("bob", "stale"), ("bob", "other"), ("ann", "hers")):
        world.connect(user_id, name, at=world.now - GRACE_SECONDS)
    world.gone.add("stale")

    deliver(world, placed(1))

    assert list(world.users["bob"]["live"]) == ["other"]
    assert list(world.users["ann"]["live"]) == ["hers"]
    assert received(world, "other") == [(1, "1")]


def test_who_arrives_while_the_pointer_is_written_is_drained_and_nobody_else(world: World) -> None:
    known = world.connect("bob", "known")
    world.gone.add("known")

    def arrive(name: str) -> None:
        if name == "after pointer":
            world.connect("bob", "new")

    world.step = arrive
    deliver(world, placed(1))

    assert [one.id for one in world.drained] == ["new"]
    assert known.id not in world.users["bob"]["live"]


def test_what_a_connection_did_not_take_is_missed_by_its_user_only(world: World) -> None:
    world.connect("ann", "conn-ann")
    world.connect("bob", "conn-bob")
    world.gone.add("conn-bob")

    pushed = receivers(world).push(placed(1))

    missed: Iterable[str] = filter(pushed.missed_by, ("ann", "bob", "nobody"))
    assert list(missed) == ["bob"]


@pytest.mark.req("APP-8")
def test_friends_hear_of_who_is_gone_and_not_of_who_is_just_opening(world: World) -> None:
    world.connect("ann", "old")
    world.connect("bob", "new", at=world.now)
    world.gone |= {"old", "new"}

    deliver(world, placed(1))

    assert (world.ended, world.users["ann"]["live"]) == (["ann"], {})
    assert [one.id for one in world.drained] == ["new"]
