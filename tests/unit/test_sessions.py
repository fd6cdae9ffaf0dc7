from __future__ import annotations

from itertools import count

import pytest

from chalicelib.errors import TokenReusedError, UnauthorizedError
from chalicelib.logic.policies import AuthPolicy
from chalicelib.logic.sessions import MAX_PER_USER, SessionService
from chalicelib.models import Session
from tests.fakes_accounts import Clock, FakePresence, FakeSessions
from tests.fakes_admin import FakeBans


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = FakeSessions(self.clock)
        self.bans = FakeBans(self.clock)
        self.presence = FakePresence()
        self.forgotten: list[tuple[str, str | None]] = []
        ids, secrets = count(1), count(1)
        self.service = SessionService(
            sessions=self.rows,
            bans=self.bans,
            presence=self.presence,
            policy=lambda: AuthPolicy(refresh_token_seconds=1000),
            clock=self.clock,
            new_id=lambda: f"s{next(ids)}",
            new_secret=lambda: f"secret{next(secrets)}",
            forget=lambda user_id, device_id: self.forgotten.append((user_id, device_id)),
        )

    def open(self, device_id: str = "phone") -> str:
        _, token = self.service.open("u1", device_id=device_id, device_name="")
        return token


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("APP-3")
def test_a_refresh_gives_another_token_and_prolongs_the_session(desk: Desk) -> None:
    token = desk.open()
    desk.clock.now += 900

    session, following = desk.service.refresh(token)

    assert following != token
    assert session.expires_at == desk.clock.now + 1000
    assert desk.service.refresh(following)[0].id == session.id


def test_the_store_never_sees_the_secret(desk: Desk) -> None:
    token = desk.open()

    assert token.rpartition(".")[2] not in str(desk.rows.rows)


@pytest.mark.req("APP-3")
def test_a_spent_token_ends_the_session_and_closes_the_device_s_connections(desk: Desk) -> None:
    spent = desk.open()
    _, following = desk.service.refresh(spent)

    with pytest.raises(TokenReusedError):
        desk.service.refresh(spent)

    assert desk.presence.closed == [("u1", "phone")]
    with pytest.raises(UnauthorizedError):
        desk.service.refresh(following)


def test_the_later_of_two_refreshes_at_once_counts_as_reuse(desk: Desk) -> None:
    token = desk.open()
    first_read = desk.rows.get("u1", "phone")
    desk.service.refresh(token)
    assert first_read is not None

    class Late(FakeSessions):
        """Has read the session before the other one prolonged it."""

        def get(self, user_id: str, device_id: str) -> Session | None:
            return first_read

    late = Late(desk.clock)
    late.rows = desk.rows.rows
    desk.service._sessions = late

    with pytest.raises(TokenReusedError):
        desk.service.refresh(token)
    assert desk.rows.rows == {}


def test_a_token_of_an_earlier_log_in_does_not_harm_the_present_one(desk: Desk) -> None:
    old = desk.open()
    new = desk.open()

    with pytest.raises(UnauthorizedError) as caught:
        desk.service.refresh(old)

    assert not isinstance(caught.value, TokenReusedError)
    assert desk.service.refresh(new)


def test_a_session_that_was_not_refreshed_in_time_is_over(desk: Desk) -> None:
    token = desk.open()
    desk.clock.now += 1000

    with pytest.raises(UnauthorizedError):
        desk.service.refresh(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.b.c.d.e", "...", "u1.phone..secret1"])
def test_what_is_no_refresh_token_is_refused(desk: Desk, token: str) -> None:
    desk.open()

    with pytest.raises(UnauthorizedError):
        desk.service.refresh(token)


def test_logging_in_again_on_a_device_closes_its_connections(desk: Desk) -> None:
    desk.open("phone")
    desk.open("tablet")
    assert desk.presence.closed == []

    desk.open("phone")

    assert desk.presence.closed == [("u1", "phone")]


def test_the_device_unused_for_the_longest_time_gives_way(desk: Desk) -> None:
    for n in range(MAX_PER_USER):
        desk.clock.now += 1
        desk.open(f"device{n}")

    desk.open("one-more")

    devices = {one.device_id for one in desk.service.of_user("u1")}
    assert len(devices) == MAX_PER_USER
    assert "device0" not in devices
    assert desk.presence.closed == [("u1", "device0")]


def test_ending_a_session_makes_its_tokens_worthless_before_it_closes_connections(
    desk: Desk,
) -> None:
    """The other way round, a connection could come in between."""
    token = desk.open()
    seen: list[int] = []
    desk.presence.disconnect = lambda *_: seen.append(len(desk.rows.rows))  # type: ignore[method-assign]

    desk.service.end("u1", "phone")

    assert seen == [0]
    with pytest.raises(UnauthorizedError):
        desk.service.refresh(token)


@pytest.mark.req("APP-3")
def test_a_device_whose_session_has_ended_is_notified_no_longer(desk: Desk) -> None:
    spent = desk.open("phone")
    desk.service.refresh(spent)
    desk.open("tablet")
    assert desk.forgotten == []

    desk.service.end("u1", "tablet")
    with pytest.raises(TokenReusedError):
        desk.service.refresh(spent)
    desk.service.end_all("u1")

    assert desk.forgotten == [("u1", "tablet"), ("u1", "phone"), ("u1", None)]


def test_every_other_device_can_be_logged_out(desk: Desk) -> None:
    for device_id in ("phone", "tablet", "laptop"):
        desk.open(device_id)

    desk.service.end_all("u1", but="tablet")

    assert [one.device_id for one in desk.service.of_user("u1")] == ["tablet"]
    assert sorted(desk.presence.closed) == [("u1", "laptop"), ("u1", "phone")]


def test_sessions_are_listed_with_the_last_used_first_and_without_expired_ones(desk: Desk) -> None:
    first = desk.open("phone")
    desk.clock.now += 500
    desk.open("tablet")
    desk.clock.now += 1
    desk.service.refresh(first)
    assert [one.device_id for one in desk.service.of_user("u1")] == ["phone", "tablet"]

    desk.clock.now += 999

    assert [one.device_id for one in desk.service.of_user("u1")] == ["phone"]
