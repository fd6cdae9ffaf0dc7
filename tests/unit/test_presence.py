from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from chalicelib.errors import UnauthorizedError, UnavailableError, UserNotFoundError
from chalicelib.logic.presence import CONNECTION_SECONDS, PresenceService
from chalicelib.logic.receivers import GRACE_SECONDS
from chalicelib.models import (
    WORLD,
    Connection,
    ConversationType,
    Head,
    PresenceStatus,
    ShowPresence,
)
from chalicelib.repo.connections import MAX_PER_USER
from tests.fakes import FakeConnections, FakeHeads, FakePush, FakeSessions, World
from tests.fakes_presence import FakeOutbox, FakePresenceStates

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
    outbox: FakeOutbox | None = None,
    sleep: Callable[[float], None] = lambda _seconds: None,
) -> PresenceService:
    return PresenceService(
        connections=FakeConnections(world),
        states=FakePresenceStates(world),
        heads=FakeHeads(world),
        sessions=sessions or FakeSessions(),
        push=FakePush(world),
        outbox=outbox or FakeOutbox(world, drain or world.drained.extend),
        clock=world.clock,
        sleep=sleep,
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


def test_one_that_gives_way_while_it_cannot_be_closed_is_closed_later() -> None:
    world = world_with_all_places_taken()
    world.push_is_away = True

    service(world).connect("bob", "phone", "s1", "conn")

    assert [one.id for one in world.closing] == ["c0"]


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


def told(world: World, user_id: str, status: PresenceStatus) -> FakeOutbox:
    """Friends were told this of a user."""
    world.users[user_id]["told"] = status
    return FakeOutbox(world, world.drained.extend)


def test_the_first_connection_is_news_and_the_next_one_is_not() -> None:
    world = World()
    world.user("bob")
    outbox = told(world, "bob", PresenceStatus.OFFLINE)

    service(world, outbox=outbox).connect("bob", "phone", "s1", "one")
    assert outbox.now == ["bob"]
    world.users["bob"]["told"] = PresenceStatus.ONLINE
    service(world, outbox=outbox).connect("bob", "laptop", "s2", "two")

    assert outbox.now == ["bob"]


def test_the_last_connection_that_ends_is_news_after_a_while() -> None:
    world = World()
    world.user("bob", "one", "two")
    outbox = told(world, "bob", PresenceStatus.ONLINE)
    presence = service(world, outbox=outbox)

    presence.disconnected("bob", "one")
    assert (outbox.now, outbox.later) == ([], [])
    presence.disconnected("bob", "two")

    assert (outbox.now, outbox.later) == ([], ["bob"])
    assert world.users["bob"]["last_seen"] == world.now


def test_who_is_back_before_friends_were_told_is_no_news() -> None:
    world = World()
    world.user("bob", "one")
    outbox = told(world, "bob", PresenceStatus.ONLINE)
    presence = service(world, outbox=outbox)

    presence.disconnected("bob", "one")
    presence.connect("bob", "phone", "s1", "two")

    assert (outbox.now, outbox.later) == ([], ["bob"])


def test_a_log_out_is_news_at_once() -> None:
    world = World()
    world.user("bob", "one")
    outbox = told(world, "bob", PresenceStatus.ONLINE)

    service(world, outbox=outbox).disconnect("bob")

    assert (outbox.now, outbox.later) == (["bob"], [])


def test_nobody_is_kept_out_because_friends_cannot_be_told() -> None:
    world = World()
    world.user("bob")
    outbox = told(world, "bob", PresenceStatus.OFFLINE)
    outbox.is_away = True

    service(world, outbox=outbox).connect("bob", "phone", "s1", "conn")
    service(world, outbox=outbox).disconnect("bob")

    assert live(world) == set()


def test_looking_away_and_back_is_news() -> None:
    world = World()
    world.user("bob", "one", "two")
    outbox = told(world, "bob", PresenceStatus.ONLINE)
    presence = service(world, outbox=outbox)

    presence.look("bob", "one", away=True)
    assert outbox.now == [], "somebody looks at the other one"
    presence.look("bob", "two", away=True)
    assert outbox.now == ["bob"]
    world.users["bob"]["told"] = PresenceStatus.AWAY
    presence.look("bob", "one", away=False)

    assert outbox.now == ["bob", "bob"]


def test_a_connection_that_is_gone_cannot_look_away() -> None:
    world = World()
    world.user("bob")
    outbox = told(world, "bob", PresenceStatus.ONLINE)

    service(world, outbox=outbox).look("bob", "old", away=True)

    assert outbox.now == []


def test_who_shows_themselves_to_nobody_any_more_goes_offline_for_friends() -> None:
    world = World()
    world.user("bob", "one")
    outbox = told(world, "bob", PresenceStatus.ONLINE)
    presence = service(world, outbox=outbox)
    assert presence.shows_to("bob") is ShowPresence.EVERYBODY

    presence.show_to("bob", ShowPresence.FRIENDS)
    assert outbox.now == []
    presence.show_to("bob", ShowPresence.NOBODY)

    assert outbox.now == ["bob"]
    assert presence.shows_to("bob") is ShowPresence.NOBODY


def test_nobody_decides_who_may_see_them() -> None:
    with pytest.raises(UserNotFoundError):
        service(World()).show_to("nobody", ShowPresence.NOBODY)

    assert service(World()).shows_to("nobody") is ShowPresence.EVERYBODY


def test_what_cannot_be_closed_while_the_service_is_away_is_closed_later() -> None:
    """Else a log-out would leave the connection open, and frames on it are not checked again."""
    world = World()
    world.user("bob", "one")
    world.push_is_away = True
    presence = service(world)

    presence.disconnect("bob")

    assert (live(world), [one.id for one in world.closing]) == (set(), ["one"])
    assert presence.close(world.closing) == world.closing
    world.push_is_away = False
    assert presence.close(world.closing) == []
    assert world.gone == {"one"}


def test_a_connection_is_not_forgotten_before_it_is_closed_or_will_be() -> None:
    world = World()
    world.user("bob", "one")
    world.push_is_away = True
    outbox = FakeOutbox(world, world.drained.extend)

    def crash(_connections: object) -> None:
        raise UnavailableError

    outbox.close = crash  # type: ignore[method-assign, assignment]
    with pytest.raises(UnavailableError):
        service(world, outbox=outbox).disconnect("bob")

    assert live(world) == {"one"}


def test_a_connection_that_is_just_opening_is_closed_as_soon_as_it_is_open() -> None:
    world = World()
    world.user("bob")
    opening = world.connect("bob", "one", at=world.now)
    world.gone.add("one")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            world.gone.clear()

    service(world).disconnect("bob")
    assert world.closing == [opening]
    left = service(world, sleep=sleep).close(world.closing)

    assert (left, world.gone, len(slept)) == ([], {"one"}, 3)


def test_a_connection_that_does_not_open_is_given_up() -> None:
    world = World()
    world.user("bob")
    opening = world.connect("bob", "one", at=world.now)
    world.gone.add("one")
    presence = service(world)

    assert presence.close([opening]) == [opening], "it waits for a second, and then for others"
    world.now += GRACE_SECONDS

    assert presence.close([opening]) == []


def test_what_has_expired_is_not_closed_without_end() -> None:
    world = World()
    world.user("bob")
    old = world.connect("bob", "one")
    world.push_is_away = True
    world.now = old.expires_at

    assert service(world).close([old]) == []
