from __future__ import annotations

import pytest

from chalicelib.context import Context
from chalicelib.errors import (
    BannedError,
    InvalidFieldError,
    SelfError,
    UnauthorizedError,
    UserNotFoundError,
)
from chalicelib.logic.bans import BanService
from chalicelib.models import Session
from tests.fakes_admin import FakeBans, FakeEntries, new_audit
from tests.unit.test_auth import Desk

ADMIN = Context(user="uadmin")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.auth.register("Alice", "password", user_id="ualice")
    return made


@pytest.fixture
def entries() -> FakeEntries:
    return FakeEntries()


@pytest.fixture
def bans(desk: Desk, entries: FakeEntries) -> BanService:
    return BanService(
        bans=desk.bans,
        users=desk.users,
        sessions=desk.auth._sessions,
        audit=new_audit(entries, desk.clock),
        clock=desk.clock,
    )


@pytest.mark.req("APP-16")
def test_a_banned_user_is_cut_off_on_every_device(desk: Desk, bans: BanService) -> None:
    phone, tablet = desk.login(device="phone"), desk.login(device="tablet")

    bans.ban(ADMIN, "ualice", reason="spam")

    assert desk.presence.closed[-1] == ("ualice", None)
    for tokens in (phone, tablet):
        with pytest.raises(UnauthorizedError):
            desk.auth.parse_token(tokens.access_token)
        with pytest.raises(UnauthorizedError):
            desk.auth.refresh(tokens.refresh_token)


@pytest.mark.req("APP-16")
def test_a_banned_user_cannot_come_back_until_the_ban_is_lifted(
    desk: Desk, bans: BanService
) -> None:
    bans.ban(ADMIN, "ualice")

    with pytest.raises(BannedError, match=r"^the account is banned$"):
        desk.login()
    assert desk.sessions.rows == {}

    for _ in range(2):
        bans.unban(ADMIN, "ualice")
    assert desk.login()


@pytest.mark.req("APP-16")
def test_a_ban_ends_by_itself(desk: Desk, bans: BanService) -> None:
    bans.ban(ADMIN, "ualice", until=desk.clock.now + 60)

    with pytest.raises(BannedError, match=r"until 2027-01-15T08:01:00\.000Z"):
        desk.login()
    desk.clock.now += 60

    assert desk.login()


def test_who_does_not_know_the_password_does_not_learn_of_the_ban(
    desk: Desk, bans: BanService
) -> None:
    bans.ban(ADMIN, "ualice")

    with pytest.raises(UnauthorizedError):
        desk.login(password="wrong password")


@pytest.mark.req("APP-16")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_log_in_at_the_same_moment_does_not_survive_a_ban(
    desk: Desk, bans: BanService, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Wherever the ban falls around the writing of the session."""
    put = desk.sessions.put

    def put_beside_a_ban(session: Session) -> None:
        if moment == "after":
            put(session)
        bans.ban(ADMIN, "ualice")
        if moment == "before":
            put(session)

    monkeypatch.setattr(desk.sessions, "put", put_beside_a_ban)

    with pytest.raises(BannedError):
        desk.login()
    assert desk.sessions.rows == {}


@pytest.mark.req("APP-16")
def test_a_log_in_that_saw_no_ban_is_ended_by_the_one_that_follows(
    desk: Desk, bans: BanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = desk.bans.get

    def get_before_a_ban(user_id: str) -> object:
        found = get(user_id)
        bans.ban(ADMIN, user_id)
        return found

    monkeypatch.setattr(desk.bans, "get", get_before_a_ban)
    tokens = desk.login()

    with pytest.raises(UnauthorizedError):
        desk.auth.parse_token(tokens.access_token)


@pytest.mark.req("APP-16")
def test_a_refresh_at_the_same_moment_does_not_survive_a_ban(
    desk: Desk, bans: BanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = desk.login()
    rotate = desk.sessions.rotate

    def rotate_after_a_ban(session: Session, *, spent_hash: str) -> bool:
        bans.ban(ADMIN, "ualice")
        return rotate(session, spent_hash=spent_hash)

    monkeypatch.setattr(desk.sessions, "rotate", rotate_after_a_ban)

    with pytest.raises(UnauthorizedError):
        desk.auth.refresh(tokens.refresh_token)
    assert desk.sessions.rows == {}


def test_a_ban_that_is_over_already_is_refused(desk: Desk, bans: BanService) -> None:
    with pytest.raises(InvalidFieldError, match=r"^until: "):
        bans.ban(ADMIN, "ualice", until=desk.clock.now)


def test_operators_cannot_ban_themselves_or_nobody(
    desk: Desk, bans: BanService, entries: FakeEntries
) -> None:
    with pytest.raises(SelfError):
        bans.ban(Context(user="ualice"), "ualice")
    with pytest.raises(UserNotFoundError):
        bans.ban(ADMIN, "unobody")

    assert desk.bans.rows == {}
    assert [one.result for one in entries.rows.values()] == ["self", "user_not_found"]


def test_bans_and_their_ends_are_in_the_audit_log(bans: BanService, entries: FakeEntries) -> None:
    bans.ban(ADMIN, "ualice", reason="spam")
    bans.unban(ADMIN, "ualice")

    logged = [(one.actor, one.action, one.target, one.details) for one in entries.rows.values()]
    assert logged == [
        ("uadmin", "ban", "ualice", {"reason": "spam"}),
        ("uadmin", "unban", "ualice", {}),
    ]


def test_only_bans_that_hold_are_listed(desk: Desk, bans: BanService) -> None:
    assert isinstance(desk.bans, FakeBans)
    for name in ("bob", "cat"):
        desk.auth.register(name, "password", user_id=f"u{name}")
    for user_id, until in (("ualice", None), ("ubob", desk.clock.now + 5), ("ucat", None)):
        bans.ban(ADMIN, user_id, until=until)
        desk.clock.now += 2

    found, position = bans.page(after=None, limit=2)
    rest, end = bans.page(after=position, limit=2)

    assert [one.user_id for one in (*found, *rest)] == ["ucat", "ualice"]
    assert end is None
