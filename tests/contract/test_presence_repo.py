from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import Connection, PresenceState, PresenceStatus, ShowPresence
from chalicelib.repo.connections import ConnectionRepository
from chalicelib.repo.presence import PresenceRepository
from tests.fakes import FakeConnections, World
from tests.fakes_presence import FakePresenceStates

pytestmark = pytest.mark.req("IM-12", "APP-8")
NOW = World.now
AWAY, ONLINE, OFFLINE = PresenceStatus.AWAY, PresenceStatus.ONLINE, PresenceStatus.OFFLINE


class Parts:
    def __init__(
        self,
        states: PresenceRepository | FakePresenceStates,
        connections: ConnectionRepository | FakeConnections,
    ) -> None:
        self.states = states
        self.connections = connections

    def status(self, user: str) -> PresenceStatus:
        return self.states.states((user,))[user].status

    def connect(self, user: str, connection_id: str, *, seconds: float = 60) -> str:
        one = Connection(
            id=f"{user}-{connection_id}",
            user_id=user,
            device_id="d",
            session_id="s",
            connected_at=NOW,
            expires_at=NOW + seconds,
        )
        self.connections.add(one)
        return one.id


@pytest.fixture(params=["fake", "endpoint"])
def parts(request: pytest.FixtureRequest) -> Parts:
    if request.param == "fake":
        world = World()
        return Parts(FakePresenceStates(world), FakeConnections(world))
    store = request.getfixturevalue("tables")
    return Parts(
        PresenceRepository(store, clock=lambda: NOW),
        ConnectionRepository(store, clock=lambda: NOW),
    )


@pytest.fixture
def user() -> str:
    return f"u{uuid4().hex[:19]}"


def test_a_new_user_is_offline_shows_themselves_and_nobody_was_told(
    parts: Parts, user: str
) -> None:
    parts.connections.open_user(user, 0)

    found = parts.states.states([user, "nobody", user])

    assert found == {user: PresenceState(user_id=user, told=OFFLINE)}
    assert found[user].show_to is ShowPresence.EVERYBODY


def test_a_deleted_user_has_no_state(parts: Parts, user: str) -> None:
    parts.connections.open_user(user, 0)
    parts.connections.close_user(user)

    assert parts.states.states([user]) == {}


def test_a_user_is_away_when_every_live_connection_is(parts: Parts, user: str) -> None:
    phone, laptop = parts.connect(user, "phone"), parts.connect(user, "laptop")
    assert parts.status(user) is ONLINE

    parts.states.set_away(user, phone, away=True)
    assert parts.status(user) is ONLINE
    state = parts.states.set_away(user, laptop, away=True)
    assert (state and state.status, parts.status(user)) == (AWAY, AWAY)
    parts.states.set_away(user, phone, away=False)
    assert parts.status(user) is ONLINE


def test_a_new_connection_is_not_away_and_one_that_ended_does_not_count(
    parts: Parts, user: str
) -> None:
    phone = parts.connect(user, "phone")
    parts.states.set_away(user, phone, away=True)

    laptop = parts.connect(user, "laptop")
    assert parts.status(user) is ONLINE
    parts.connections.remove(user, [laptop], seen=True)

    assert parts.status(user) is AWAY
    assert parts.states.states([user])[user].last_seen == NOW


def test_connections_that_expired_do_not_count(parts: Parts, user: str) -> None:
    parts.connect(user, "phone", seconds=-1)

    assert parts.status(user) is OFFLINE


def test_a_connection_that_is_not_there_cannot_be_away(parts: Parts, user: str) -> None:
    assert parts.states.set_away(user, "c", away=True) is None
    parts.connections.open_user(user, 0)

    assert parts.states.set_away(user, "c", away=True) is None
    assert parts.status(user) is OFFLINE


def test_what_was_told_and_to_whom_one_shows_is_kept(parts: Parts, user: str) -> None:
    parts.connect(user, "phone")

    told = parts.states.set_told(user, ONLINE)
    shown = parts.states.set_show_to(user, ShowPresence.NOBODY)

    expected = PresenceState(user_id=user, status=ONLINE, told=ONLINE)
    assert told == expected
    assert shown == parts.states.states([user])[user]
    assert shown is not None
    assert (shown.told, shown.show_to, shown.shown) == (ONLINE, ShowPresence.NOBODY, OFFLINE)


def test_a_change_makes_nobody(parts: Parts, user: str) -> None:
    assert parts.states.set_told(user, ONLINE) is None
    assert parts.states.set_show_to(user, ShowPresence.NOBODY) is None
    assert parts.states.states([user]) == {}


@pytest.mark.parametrize(
    "use",
    [
        lambda states: states.states(["u"]),
        lambda states: states.set_away("u", "c", away=True),
        lambda states: states.set_told("u", ONLINE),
    ],
    ids=["states", "set_away", "set_told"],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[PresenceRepository], object],
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(PresenceRepository(tables))
