from __future__ import annotations

import pytest

from chalicelib.logic import vanished
from chalicelib.logic.vanished import VanishedService
from tests.fakes import FakeConnections, FakePush, World

pytestmark = pytest.mark.req("APP-8")


def service(world: World) -> VanishedService:
    return VanishedService(
        connections=FakeConnections(world),
        push=FakePush(world),
        presence=world.ended.extend,
        clock=world.clock,
    )


def sweep(world: World, until: float | None = None) -> int:
    return service(world).sweep(world.now + 60 if until is None else until)


def live(world: World, user: str) -> set[str]:
    return set(world.users[user]["live"])


def test_exactly_what_is_gone_is_removed_and_friends_hear_of_it_once() -> None:
    world = World()
    world.user("ann", "a1", "a2", "a3")
    world.user("bob", "b1")
    world.gone |= {"a1", "a3"}

    assert sweep(world) == 2
    assert (live(world, "ann"), live(world, "bob")) == ({"a2"}, {"b1"})
    assert world.ended == ["ann"]
    assert world.users["ann"]["last_seen"] == world.now


def test_what_has_expired_is_removed_without_asking() -> None:
    world = World()
    world.user("ann", "a1")
    world.now += 3601

    assert sweep(world) == 1
    assert live(world, "ann") == set()


def test_a_connection_that_may_be_just_opening_stays() -> None:
    world = World()
    world.user("ann")
    world.connect("ann", "a1", at=world.now)
    world.gone.add("a1")

    assert sweep(world) == 0
    assert live(world, "ann") == {"a1"}


def test_while_the_service_is_away_nothing_is_removed() -> None:
    world = World()
    world.user("ann", "a1")
    world.gone.add("a1")
    world.push_is_away = True

    assert sweep(world) == 0
    assert (live(world, "ann"), world.ended) == ({"a1"}, [])


def test_what_there_is_no_time_for_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vanished, "CHUNK", 1)
    world = World()
    world.user("ann")
    for number in range(3):
        world.connect("ann", f"a{number}", at=world.now - 3600 + number)
    world.gone |= {"a0", "a1", "a2"}

    def take_time(connection: str) -> None:
        world.now += 40

    told = world.ended.extend
    made = VanishedService(
        connections=FakeConnections(world),
        push=FakePush(world),
        presence=lambda users: (told(users), take_time(""))[0],
        clock=world.clock,
    )

    assert made.sweep(world.now + 60) == 2
    assert live(world, "ann") == {"a2"}
