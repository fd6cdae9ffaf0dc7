from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Session
from chalicelib.repo.sessions import SessionRepository
from tests.contract.conftest import Connect
from tests.fakes_accounts import Clock, FakeSessions

Sessions = SessionRepository | FakeSessions
CLOCK = Clock()


@pytest.fixture(params=["fake", "endpoint"])
def sessions(request: pytest.FixtureRequest) -> Sessions:
    if request.param == "fake":
        return FakeSessions(CLOCK)
    return SessionRepository(request.getfixturevalue("tables"), clock=CLOCK)


@pytest.fixture
def session() -> Session:
    return Session(
        id="s1",
        user_id=f"u{uuid4().hex[:19]}",
        device_id="phone",
        device_name="Zoë’s 📱",
        refresh_hash="first",
        created_at=CLOCK.now,
        used_at=CLOCK.now,
        expires_at=CLOCK.now + 100,
    )


def test_a_session_is_read_back_whole(sessions: Sessions, session: Session) -> None:
    sessions.put(session)

    assert sessions.get(session.user_id, "phone") == session
    assert sessions.get(session.user_id, "tablet") is None


@pytest.mark.parametrize(
    ("device_id", "session_id", "expected"),
    [("phone", "s1", True), ("phone", "s0", False), ("tablet", "s1", False)],
)
def test_only_the_stored_session_stands(
    sessions: Sessions, session: Session, device_id: str, session_id: str, expected: bool
) -> None:
    sessions.put(session)

    assert sessions.stands(session.user_id, device_id, session_id) is expected


def test_an_expired_session_does_not_stand(sessions: Sessions, session: Session) -> None:
    sessions.put(replace(session, expires_at=CLOCK.now))

    assert not sessions.stands(session.user_id, "phone", "s1")


def test_a_user_has_one_session_for_each_device(sessions: Sessions, session: Session) -> None:
    sessions.put(session)
    sessions.put(replace(session, device_id="tablet", id="s2"))
    sessions.put(replace(session, id="s3"))

    found = sessions.of_user(session.user_id)

    assert {(one.device_id, one.id) for one in found} == {("phone", "s3"), ("tablet", "s2")}


def test_only_the_newest_secret_can_be_spent(sessions: Sessions, session: Session) -> None:
    sessions.put(session)
    renewed = replace(session, refresh_hash="second", used_at=CLOCK.now + 1)

    assert sessions.rotate(renewed, spent_hash="first")
    assert not sessions.rotate(replace(session, refresh_hash="third"), spent_hash="first")
    assert sessions.get(session.user_id, "phone") == renewed


def test_a_session_that_was_replaced_is_not_prolonged(sessions: Sessions, session: Session) -> None:
    sessions.put(replace(session, id="s2"))

    assert not sessions.rotate(replace(session, refresh_hash="new"), spent_hash="first")


def test_a_session_that_is_gone_is_not_prolonged(sessions: Sessions, session: Session) -> None:
    assert not sessions.rotate(session, spent_hash="first")


def test_ending_a_named_session_leaves_another_one(sessions: Sessions, session: Session) -> None:
    sessions.put(session)

    sessions.delete(session.user_id, "phone", session_id="s0")
    assert sessions.stands(session.user_id, "phone", "s1")

    sessions.delete(session.user_id, "phone", session_id="s1")
    assert not sessions.stands(session.user_id, "phone", "s1")


def test_ending_a_session_twice_is_no_fault(sessions: Sessions, session: Session) -> None:
    sessions.put(session)

    sessions.delete(session.user_id, "phone")
    sessions.delete(session.user_id, "phone")

    assert sessions.of_user(session.user_id) == []


@pytest.mark.req("APP-3")
def test_of_many_refreshes_with_one_token_exactly_one_wins(
    connect: Connect, session: Session
) -> None:
    SessionRepository(connect(), clock=CLOCK).put(session)

    def spend(n: int) -> bool:
        repository = SessionRepository(connect(), clock=CLOCK)
        return repository.rotate(replace(session, refresh_hash=f"new{n}"), spent_hash="first")

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(spend, range(8)))

    assert won.count(True) == 1


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    sessions = SessionRepository(connect(), clock=CLOCK)

    with pytest.raises(UnavailableError):
        sessions.stands(session.user_id, "phone", "s1")
    with pytest.raises(UnavailableError):
        sessions.rotate(session, spent_hash="first")
