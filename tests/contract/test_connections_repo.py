from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import Connection
from chalicelib.repo.connections import MAX_PER_USER, ConnectionRepository
from tests.contract.conftest import Connect
from tests.fakes import FakeConnections, World

pytestmark = pytest.mark.req("IM-12", "APP-11")
Connections = ConnectionRepository | FakeConnections
NOW = World().now


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["fake", "endpoint"])
def connections(request: pytest.FixtureRequest, world: World) -> Connections:
    if request.param == "fake":
        return FakeConnections(world)
    return ConnectionRepository(request.getfixturevalue("tables"), clock=world.clock)


@pytest.fixture
def user() -> str:
    return f"u{uuid4().hex[:19]}"


def connection(user: str, age: float = 0.5, **members: Any) -> Connection:
    one = Connection(
        id=f"{uuid4().hex[:14]}=",
        user_id=user,
        device_id="phone",
        session_id="s1",
        connected_at=NOW - age,
        expires_at=NOW + 7800.25,
    )
    return replace(one, **members)


def full(connections: Connections, user: str) -> list[Connection]:
    """As many connections as a user may have, the oldest first."""
    made = [connection(user, age=100.0 - at) for at in range(MAX_PER_USER)]
    for one in made[::2] + made[1::2]:
        assert connections.add(one) == []
    return made


def live(connections: Connections, user: str) -> list[Connection]:
    return by_id(connections.live([user]).get(user, []))


def online(connections: Connections, *users: str) -> list[Connection]:
    """Whoever is online of these users: the table has others as well."""
    return by_id([one for one in connections.online() if one.user_id in users])


def by_id(connections: list[Connection]) -> list[Connection]:
    return sorted(connections, key=lambda one: one.id)


def test_a_registered_connection_is_found_whole_by_its_user_and_among_all(
    connections: Connections, user: str
) -> None:
    one = connection(user, device_id="Zoë’s 📱")
    connections.open_user(user, 0)

    assert connections.add(one) == []

    assert connections.live([user]) == {user: [one]}
    assert online(connections, user) == [one]


def test_a_user_who_was_opened_has_no_connection_yet(connections: Connections, user: str) -> None:
    connections.open_user(user, 42)

    item = connections.users([user])[user]

    assert item["world_seq"] == 42
    assert connections.connections_in(item) == []
    assert item.get("last_seen") is None
    assert connections.live([user]) == {user: []}


def test_a_user_who_is_opened_again_stays_as_they_are(connections: Connections, user: str) -> None:
    one = connection(user)
    connections.open_user(user, 42)
    connections.add(one)

    connections.open_user(user, 99)

    assert connections.users([user])[user]["world_seq"] == 42
    assert connections.live([user]) == {user: [one]}


def test_nothing_is_found_of_a_user_who_does_not_exist(connections: Connections, user: str) -> None:
    connections.open_user(user, 0)

    assert set(connections.users([f"{user}b", user, user])) == {user}
    assert connections.live([f"{user}b", user, user]) == {user: []}
    assert (connections.users([]), connections.live([])) == ({}, {})


def test_a_connection_of_a_user_who_was_never_opened_opens_them(
    connections: Connections, user: str
) -> None:
    one = connection(user)

    assert connections.add(one) == []

    assert connections.live([user]) == {user: [one]}
    assert connections.users([user])[user]["world_seq"] == 0


def test_an_item_that_was_read_does_not_change_any_more(
    connections: Connections, user: str
) -> None:
    connections.open_user(user, 0)
    item = connections.users([user])[user]

    connections.add(connection(user))

    assert connections.connections_in(item) == []


def test_more_users_are_read_at_once_than_the_store_gives_in_one_answer(
    connections: Connections, user: str
) -> None:
    users = {f"{user}-{at}": at for at in range(130)}
    for name, world_seq in users.items():
        connections.open_user(name, world_seq)

    found = connections.users(users)

    assert {name: item["world_seq"] for name, item in found.items()} == users


def test_the_same_registration_again_is_one_connection(connections: Connections, user: str) -> None:
    one = connection(user)

    assert [connections.add(one), connections.add(one)] == [[], []]

    assert connections.live([user]) == {user: [one]}
    assert online(connections, user) == [one]


def test_connections_of_several_users_are_kept_apart(connections: Connections, user: str) -> None:
    ann, bob = f"{user}-ann", f"{user}-bob"
    ones, others = [connection(ann) for _ in range(12)], [connection(bob) for _ in range(12)]
    for one in ones + others:
        connections.add(one)

    found = connections.live([ann, bob])

    assert by_id(found[ann]) == by_id(ones)
    assert by_id(found[bob]) == by_id(others)
    assert online(connections, ann, bob) == by_id(ones + others)


def test_an_expired_connection_is_not_live_any_more(
    connections: Connections, user: str, world: World
) -> None:
    lasting, ending = connection(user), connection(user, expires_at=NOW + 10)
    for one in (lasting, ending):
        connections.add(one)

    world.now = NOW + 9.5
    assert live(connections, user) == online(connections, user) == by_id([lasting, ending])
    world.now = NOW + 10
    assert live(connections, user) == online(connections, user) == [lasting]
    assert connections.connections_in(connections.users([user])[user]) == [lasting]
    registered = [one for one in connections.registered() if one.user_id == user]
    assert by_id(registered) == by_id([lasting, ending]), "until somebody removes it"


def test_the_oldest_connection_gives_way_to_one_too_many(
    connections: Connections, user: str
) -> None:
    made = full(connections, user)
    newest = connection(user, age=0)

    assert connections.add(newest) == [made[0]]

    assert live(connections, user) == by_id([*made[1:], newest])
    assert online(connections, user) == by_id([*made[1:], newest])


def test_the_limit_of_one_user_is_not_that_of_another(connections: Connections, user: str) -> None:
    made = full(connections, user)
    other = connection(f"{user}b")

    assert connections.add(other) == []

    assert live(connections, user) == by_id(made)
    assert live(connections, f"{user}b") == [other]


def test_a_registration_that_is_repeated_at_the_limit_drives_nobody_out(
    connections: Connections, user: str
) -> None:
    made = full(connections, user)

    assert connections.add(made[7]) == []

    assert live(connections, user) == by_id(made)


def test_expired_connections_give_way_before_any_live_one(
    connections: Connections, user: str, world: World
) -> None:
    made = full(connections, user)
    ending = [replace(one, expires_at=NOW + 10) for one in made[3:6]]
    for one in ending:
        connections.add(one)
    world.now = NOW + 10
    newest = connection(user, age=0)

    assert by_id(connections.add(newest)) == by_id(ending)

    assert live(connections, user) == by_id([*made[:3], *made[6:], newest])


def test_after_one_has_gone_there_is_room_for_another(connections: Connections, user: str) -> None:
    made = full(connections, user)
    connections.remove(user, [made[5].id])
    newest = connection(user)

    assert connections.add(newest) == []

    assert live(connections, user) == by_id([*made[:5], *made[6:], newest])


def test_removing_takes_exactly_these_connections_away(connections: Connections, user: str) -> None:
    made, other = [connection(user) for _ in range(6)], connection(f"{user}b")
    for one in [*made, other]:
        connections.add(one)

    connections.remove(user, [made[1].id, made[4].id])

    left = [made[0], made[2], made[3], made[5]]
    assert live(connections, user) == by_id(left)
    assert online(connections, user, f"{user}b") == by_id([*left, other])


def test_removing_one_of_several_with_similar_ids_leaves_the_others(
    connections: Connections, user: str
) -> None:
    base = uuid4().hex
    made = [connection(user, id=base + end) for end in ("", "=", "==", ".a", "[0]", "#")]
    for one in made:
        connections.add(one)

    connections.remove(user, [f"{base}="])

    left = [one for one in made if one.id != f"{base}="]
    assert live(connections, user) == online(connections, user) == by_id(left)


def test_the_connection_of_another_user_is_not_removed(connections: Connections, user: str) -> None:
    one, other = connection(user), connection(f"{user}b")
    connections.add(one)
    connections.add(other)

    connections.remove(user, [other.id], seen=True)

    assert live(connections, f"{user}b") == [other]
    assert online(connections, user, f"{user}b") == by_id([one, other])


def test_removing_what_is_not_there_changes_nothing(connections: Connections, user: str) -> None:
    one, gone = connection(user), connection(user)
    for made in (one, gone):
        connections.add(made)

    for _ in range(2):
        connections.remove(user, [gone.id])
    connections.remove(user, ["never-there"], seen=True)
    connections.remove(user, [])

    assert live(connections, user) == online(connections, user) == [one]
    assert connections.users([user])[user].get("last_seen") is None


def test_removing_from_a_user_who_does_not_exist_does_not_open_them(
    connections: Connections, user: str
) -> None:
    connections.remove(user, ["never-there"])
    connections.remove(user, ["never-there"], seen=True)

    assert connections.users([user]) == {}


def test_a_user_was_last_seen_when_a_connection_of_theirs_ended(
    connections: Connections, user: str, world: World
) -> None:
    one, other = connection(user), connection(user)
    for made in (one, other):
        connections.add(made)
    connections.remove(user, [other.id])
    assert connections.users([user])[user].get("last_seen") is None

    world.now = NOW + 60.5
    connections.remove(user, [one.id], seen=True)

    assert connections.users([user])[user]["last_seen"] == NOW + 60.5


def test_an_end_that_is_noted_again_later_does_not_move_the_time(
    connections: Connections, user: str, world: World
) -> None:
    one = connection(user)
    connections.add(one)
    connections.remove(user, [one.id], seen=True)

    world.now = NOW + 60
    connections.remove(user, [one.id], seen=True)

    assert connections.users([user])[user]["last_seen"] == NOW


def test_many_connections_at_once_keep_the_limit_and_say_who_gave_way(
    connect: Connect, world: World, user: str
) -> None:
    tables = [ConnectionRepository(connect(), clock=world.clock) for _ in range(6)]
    made, new = full(tables[0], user), [connection(user, age=0.01 * at) for at in range(12)]

    def add(at: int) -> list[Connection]:
        return [one for extra in new[at::6] for one in tables[at].add(extra)]

    with ThreadPoolExecutor(6) as pool:
        evicted = {one for gone in pool.map(add, range(6)) for one in gone}

    left = live(tables[0], user)
    assert (len(left), evicted) == (MAX_PER_USER, {*made, *new} - set(left))
    assert online(tables[0], user) == left


@pytest.mark.parametrize(
    "use",
    [
        lambda connections: connections.open_user("u", 0),
        lambda connections: connections.users(["u"]),
        lambda connections: connections.live(["u"]),
        lambda connections: connections.online(),
        lambda connections: connections.add(connection("u")),
        lambda connections: connections.remove("u", ["c"]),
    ],
    ids=["open_user", "users", "live", "online", "add", "remove"],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[ConnectionRepository], Any],
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(ConnectionRepository(tables))


@pytest.mark.req("TASK-6")
def test_a_deleted_user_is_known_as_such_and_keeps_what_is_to_be_closed(
    connections: Connections, user: str
) -> None:
    connections.open_user(user, 7)
    one = connection(user)
    connections.add(one)
    assert "deleted_at" not in connections.users([user])[user]

    connections.close_user(user)
    connections.open_user(user, 9)
    connections.close_user(f"{user}b")

    found = connections.users([user, f"{user}b"])
    assert set(found) == {user}
    assert "deleted_at" in found[user]
    assert live(connections, user) == [one]
