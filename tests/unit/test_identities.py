from __future__ import annotations

from itertools import count

import pytest

from chalicelib.errors import ConflictError, UnauthorizedError, UsernameTakenError
from chalicelib.logic.identities import IdentityService, name_from, nickname_from, subject_of
from chalicelib.models import LinkedIdentity
from tests.fakes_identity import ISSUER, FakeIdentities
from tests.unit.test_auth import Desk as AuthDesk


class Desk:
    def __init__(self) -> None:
        self.auth = AuthDesk()
        self.rows = FakeIdentities()
        ids = count(1)
        self.identities = IdentityService(
            identities=self.rows,
            register=self.auth.auth.register,
            new_id=lambda: f"abcdefghijklmno{next(ids)}",
        )

    def enrol(self, subject: str, username: str, *, exactly: bool = False) -> str:
        return self.identities.enrol(ISSUER, subject, username=username, exactly=exactly)

    def name(self, user_id: str) -> str:
        return self.auth.users.rows[user_id].username


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_subject_gets_an_account_once(desk: Desk) -> None:
    first = desk.enrol("s-1", "ann")

    assert desk.enrol("s-1", "another") == first
    assert desk.identities.user_of(ISSUER, "s-1") == first
    assert desk.identities.user_of("https://other.example", "s-1") is None
    assert [one.username for one in desk.auth.users.rows.values()] == ["ann"]


def test_nobody_can_log_in_to_such_an_account_with_a_password(desk: Desk) -> None:
    desk.enrol("s-1", "ann")

    for password in ("", "password"):
        with pytest.raises(UnauthorizedError):
            desk.auth.login("ann", password)


def test_a_name_that_is_taken_or_reserved_is_made_another(desk: Desk) -> None:
    desk.auth.auth.register("Ann", "password", user_id="uann")

    assert desk.name(desk.enrol("s-1", "ann")) == "ann-abcd"
    assert desk.name(desk.enrol("s-2", "ann")) == "ann-abcdefgh"
    assert desk.name(desk.enrol("s-3", "admin")) == "admin-abcd"
    assert len(desk.name(desk.enrol("s-4", "x" * 32))) == 32
    assert len(desk.name(desk.enrol("s-5", "x" * 32))) == 32


def test_an_exact_name_is_not_made_another_and_may_be_tried_again(desk: Desk) -> None:
    desk.auth.auth.register("Ann", "password")

    with pytest.raises(UsernameTakenError):
        desk.enrol("s-1", "ann", exactly=True)
    assert desk.identities.user_of(ISSUER, "s-1") is None

    assert desk.name(desk.enrol("s-1", "ann2", exactly=True)) == "ann2"


def test_when_every_name_is_taken_it_is_said(desk: Desk) -> None:
    for name in ("ann", "ann-abcd", "ann-abcdefgh", "ann-abcdefghijkl"):
        desk.auth.auth.register(name, "password")

    with pytest.raises(UsernameTakenError):
        desk.enrol("s-1", "ann")


def test_what_a_crash_left_half_done_is_finished(desk: Desk) -> None:
    claimed = LinkedIdentity(issuer=ISSUER, subject="s-1", user_id="u-half", pending=True)
    desk.rows.claim(claimed)
    desk.auth.auth.register("ann", None, user_id="u-half")

    assert desk.enrol("s-1", "ann") == "u-half"
    assert desk.identities.user_of(ISSUER, "s-1") == "u-half"
    assert len(desk.auth.users.rows) == 1


def test_of_two_first_log_ins_at_once_both_get_one_account(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    winner = LinkedIdentity(issuer=ISSUER, subject="s-1", user_id="u-first", pending=True)
    desk.rows.claim(winner)
    monkeypatch.setattr(desk.rows, "get", lambda *_: None)

    assert desk.enrol("s-1", "ann") == "u-first"


def test_an_identity_is_linked_to_one_account(desk: Desk) -> None:
    for _ in range(2):
        desk.identities.link("uann", ISSUER, "s-1")

    assert desk.identities.user_of(ISSUER, "s-1") == "uann"
    with pytest.raises(ConflictError):
        desk.identities.link("ubob", ISSUER, "s-1")


@pytest.mark.parametrize("sub", [None, 7, "", "x" * 256, ["s"]])
def test_a_token_must_say_whom_it_is_for(sub: object) -> None:
    with pytest.raises(UnauthorizedError):
        subject_of({"sub": sub})


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "Ann.B", "name": "x y z"}, "Ann.B"),
        ({"preferred_username": "李", "name": "Zoë Müller"}, "Zoe-Muller"),
        ({"email": "ann@example.com"}, "ann"),
        ({"preferred_username": "ann@corp"}, "ann"),
        ({"name": "x" * 100}, "x" * 32),
        ({"name": 7}, "user"),
        ({}, "user"),
    ],
)
def test_a_user_name_is_made_from_what_the_issuer_says(
    claims: dict[str, object], name: str
) -> None:
    assert name_from(claims) == name


def test_a_nickname_is_printable_and_short() -> None:
    assert nickname_from({"name": "Zoë"}) == "Zoë"
    assert nickname_from({"name": "a\nb"}) == nickname_from({}) == ""
    assert len(nickname_from({"name": "x" * 100})) == 64
