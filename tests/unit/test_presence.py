from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from chalicelib.errors import UnauthorizedError, UnavailableError
from chalicelib.logic.presence import CONNECTION_SECONDS, PresenceService
from chalicelib.models import WORLD, Connection, ConversationType, Head
from chalicelib.repo.connections import MAX_PER_USER
from tests.fakes import FakeConnections, FakeHeads, FakePush, FakeSessions, World

pytestmark = pytest.mark.req("APP-8")


class Sessions:
    """Says what was registered at the moment of each question."""

    def __init__(self, world: World, *, stand: bool) -> None:
        self._world = world
        self._stand = stand
        self.registered: list[list[str]] = []

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool:
        self.registered.append(list(self._world.users[user_id]["live"]))
        return self._stand


def service(
    world: World,
    sessions: Sessions | FakeSessions | None = None,
    drain: Callable[[Iterable[Connection]], None] | None = None,
) -> PresenceService:
    return PresenceService(
        connections=FakeConnections(world),
        heads=FakeHeads(world),
        sessions=sessions or FakeSessions(),
        push=FakePush(world),
        drain=drain or world.drained.extend,
        clock=world.clock,
    )


def live(world: World, user_id: str = "bob") -> set[str]:
    return set(world.users[user_id]["live"])


def world_with_all_places_taken() -> World:
    world = World()
    world.user("bob")
    for number in range(MAX_PER_USER):
        world.connect("bob", f"c{number}", at=world.now - 100 + number)
    return world


def test_a_new_user_reads_the_world_room_from_where_it_stands() -> None:
    world = World()
    world.heads[WORLD] = Head(id=WORLD, type=ConversationType.WORLD, last_seq=7)

    service(world).register("bob")

    assert world.users["bob"]["world_seq"] == 7


def test_a_registration_that_is_repeated_changes_nothing() -> None:
    world = World()
    service(world).register("bob")
    world.heads[WORLD] = Head(id=WORLD, type=ConversationType.WORLD, last_seq=7)

    service(world).register("bob")

    assert world.users["bob"]["world_seq"] == 0


def test_a_connection_is_registered_and_its_backlog_ordered() -> None:
    world = World()
    world.user("bob")

    service(world).connect("bob", "phone", "s1", "conn")

    connection = Connection(
        id="conn",
        user_id="bob",
        device_id="phone",
        session_id="s1",
        connected_at=world.now,
        expires_at=world.now + CONNECTION_SECONDS,
    )
    assert world.users["bob"]["live"] == {"conn": connection}
    assert world.drained == [connection]


def test_the_session_is_read_again_after_the_registration() -> None:
    """A log-out before it finds nothing to close; one after it finds the connection."""
    world = World()
    world.user("bob")
    sessions = Sessions(world, stand=True)

    service(world, sessions).connect("bob", "phone", "s1", "conn")

    assert sessions.registered == [["conn"]]


def test_a_connection_whose_session_was_revoked_meanwhile_is_refused() -> None:
    world = World()
    world.user("bob", "other")

    with pytest.raises(UnauthorizedError):
        service(world, FakeSessions(revoked=True)).connect("bob", "phone", "s1", "conn")

    assert live(world) == {"other"}
    assert world.drained == []


def test_the_oldest_connection_gives_way_and_is_closed() -> None:
    world = world_with_all_places_taken()

    service(world).connect("bob", "phone", "s1", "conn")

    assert len(live(world)) == MAX_PER_USER
    assert "conn" in live(world)
    assert world.gone == {"c0"}


def test_a_connection_that_gave_way_to_a_refused_one_is_closed_all_the_same() -> None:
    """It is no longer registered: open, it would wait for messages that never come."""
    world = world_with_all_places_taken()

    with pytest.raises(UnauthorizedError):
        service(world, FakeSessions(revoked=True)).connect("bob", "phone", "s1", "conn")

    assert world.gone == {"c0"}


def test_connections_that_expired_give_way_first() -> None:
    world = world_with_all_places_taken()
    world.now += 3601
    live_still = world.connect("bob", "c29", at=world.now)

    service(world).connect("bob", "phone", "s1", "conn")

    assert live(world) == {live_still.id, "conn"}
    assert world.gone == set()


def test_when_the_backlog_cannot_be_ordered_the_connect_is_refused() -> None:
    world = World()
    world.user("bob")

    def drain(_connections: Iterable[Connection]) -> None:
        raise UnavailableError

    with pytest.raises(UnavailableError):
        service(world, drain=drain).connect("bob", "phone", "s1", "conn")


def test_a_log_out_closes_the_connections_of_that_device_only() -> None:
    world = World()
    world.user("bob", "tablet")
    presence = service(world)
    presence.connect("bob", "phone", "s1", "phone-1")
    presence.connect("bob", "phone", "s1", "phone-2")

    presence.disconnect("bob", "phone")

    assert live(world) == {"tablet"}
    assert world.gone == {"phone-1", "phone-2"}


def test_a_log_out_everywhere_closes_every_connection() -> None:
    world = World()
    world.user("bob", "one", "two")

    service(world).disconnect("bob")

    assert live(world) == set()
    assert world.gone == {"one", "two"}


def test_nobody_has_no_connections_to_close() -> None:
    world = World()

    service(world).disconnect("nobody")

    assert world.gone == set()


def test_a_user_is_online_as_long_as_one_connection_lives() -> None:
    world = World()
    world.user("bob", "one", "two")
    presence = service(world)

    presence.disconnected("bob", "one")
    assert presence.of("bob") == ("online", None)

    presence.disconnected("bob", "two")
    assert presence.of("bob") == ("offline", "2023-11-14T22:13:20.000Z")


def test_a_connection_that_vanished_counts_until_it_expires() -> None:
    world = World()
    world.user("bob", "vanished")

    assert service(world).of("bob") == ("online", None)
    world.now += 3601
    assert service(world).of("bob") == ("offline", None)


def test_the_end_of_an_unknown_connection_is_no_sign_of_life() -> None:
    world = World()
    world.user("bob")

    service(world).disconnected("bob", "evicted long ago")

    assert service(world).of("bob") == ("offline", None)


def test_who_never_connected_was_never_seen() -> None:
    assert service(World()).of("nobody") == ("offline", None)
