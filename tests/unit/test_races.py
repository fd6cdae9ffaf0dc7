"""Two things at once: each is let in at every step of the other (design, decisions 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from chalicelib.context import Context
from chalicelib.errors import UnauthorizedError
from chalicelib.logic.sync import Undrained
from chalicelib.models import AckStatus, Connection
from tests.fakes import FakeSessions, World
from tests.unit import test_acks, test_presence, test_sync
from tests.unit.test_delivery import ROOM, received, record, writer

pytestmark = pytest.mark.req("APP-11")
STEPS = range(14)  # more than any of them has: then the other comes last


def interrupt(world: World, at: int, other: Callable[[], object]) -> Callable[[], None]:
    """Lets ``other`` in at a step; what is returned lets it in now, if that step never came."""
    left = [at]

    def finish() -> None:
        world.step = lambda _name: None
        if left[0] >= 0:
            left[0] = -1
            other()

    def step(_name: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            world.step = lambda _name: None
            other()

    world.step = step
    return finish


def drain(world: World, sessions: FakeSessions | None = None) -> None:
    due = list(world.drained)
    world.drained.clear()
    assert test_sync.service(world, sessions).drain(due) == Undrained([], [])


def world_where_bob_missed_one() -> World:
    world = World()
    world.user("ann")
    world.user("bob")
    writer(world).deliver([record(0, 1)])
    assert world.pointers == {("bob", ROOM): 1}
    return world


def drain_with_steps(world: World) -> Callable[[Iterable[Connection]], None]:
    def drain(connections: Iterable[Connection]) -> None:
        world.step("before drain")
        world.drained.extend(connections)
        world.step("after drain")

    return drain


@pytest.mark.parametrize("opening", [False, True])
@pytest.mark.parametrize("at", STEPS)
def test_whenever_a_receiver_connects_during_a_delivery_the_message_arrives(
    at: int, opening: bool
) -> None:
    world = World()
    world.user("ann")
    world.user("bob")
    presence = test_presence.service(world, drain=drain_with_steps(world))

    def connect() -> None:
        presence.connect("bob", "phone", "s1", "conn")
        if opening:
            world.gone.add("conn")  # nothing can be pushed during its own $connect
        else:
            drain(world)

    finish = interrupt(world, at, connect)
    writer(world).deliver([record(0, 1)])
    finish()
    world.gone.clear()
    drain(world)

    assert set(received(world, "conn")) == {(1, "1")}


@pytest.mark.parametrize("at", STEPS)
def test_whenever_a_message_is_acknowledged_during_a_delivery_the_next_one_keeps_its_pointer(
    at: int,
) -> None:
    world = world_where_bob_missed_one()

    def ack() -> None:
        test_acks.service(world).ack(Context(), "bob", ROOM, 1, AckStatus.DELIVERED)

    finish = interrupt(world, at, ack)
    writer(world).deliver([record(1, 2)])
    finish()

    assert world.pointers == {("bob", ROOM): 2}


@pytest.mark.parametrize("at", STEPS)
def test_whenever_a_message_is_delivered_during_an_ack_it_gets_its_pointer(at: int) -> None:
    world = world_where_bob_missed_one()

    finish = interrupt(world, at, lambda: writer(world).deliver([record(1, 2)]))
    test_acks.service(world).ack(Context(), "bob", ROOM, 1, AckStatus.DELIVERED)
    finish()

    assert world.pointers == {("bob", ROOM): 2}


@pytest.mark.parametrize("at", STEPS)
def test_whenever_a_redelivery_comes_after_an_ack_no_pointer_comes_back(at: int) -> None:
    world = world_where_bob_missed_one()

    def ack() -> None:
        test_acks.service(world).ack(Context(), "bob", ROOM, 1, AckStatus.READ)

    finish = interrupt(world, at, ack)
    writer(world).deliver([record(0, 1)])
    finish()

    assert world.pointers == {}


@pytest.mark.req("APP-8")
@pytest.mark.parametrize("at", STEPS)
def test_whenever_a_log_out_comes_during_a_connect_it_wins(at: int) -> None:
    world = World()
    world.user("bob")
    sessions = FakeSessions()
    presence = test_presence.service(world, sessions, drain=drain_with_steps(world))
    world.gone.add("conn")  # closing does not reach a connection during its own $connect

    def log_out() -> None:
        sessions.revoked = True
        presence.disconnect("bob", "phone")

    finish = interrupt(world, at, log_out)
    refused = False
    try:
        presence.connect("bob", "phone", "s1", "conn")
    except UnauthorizedError:
        refused = True
    finish()
    world.gone.clear()
    assert presence.close(world.closing) == []
    world.now += 31
    drain(world, sessions)

    assert refused or world.gone == {"conn"}
    assert test_presence.live(world) == set()
