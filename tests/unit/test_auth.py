from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from chalicelib.errors import (
    InvalidCredentialsError,
    TokenReusedError,
    UnauthorizedError,
    UsernameTakenError,
)
from chalicelib.logic.auth import RESERVED, AuthService, Tokens
from chalicelib.logic.keys import KeyService
from chalicelib.logic.passwords import Passwords
from chalicelib.logic.policies import AuthPolicy
from chalicelib.logic.sessions import SessionService
from chalicelib.logic.tokens import Authenticator, TokenSigner, TokenVerifier
from chalicelib.models import Session
from tests.fakes_accounts import Clock, FakeKeyStore, FakePresence, FakeSessions, FakeUsers
from tests.fakes_admin import FakeBans

POLICY = AuthPolicy(access_token_seconds=60, refresh_token_seconds=1000)


class CountingPasswords(Passwords):
    """Cheap hashes; counts how often one was computed."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(memory_kib=64, time_cost=time_cost)
        self.verified: list[bool] = []

    def verify(self, stored: str | None, password: str) -> bool:
        self.verified.append(stored is not None)
        return super().verify(stored, password)


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.users = FakeUsers()
        self.sessions = FakeSessions(self.clock)
        self.bans = FakeBans(self.clock)
        self.presence = FakePresence()
        self.passwords = CountingPasswords()
        self.keys = FakeKeyStore()
        KeyService(self.keys).ensure()
        self.auth = self.service(self.passwords)

    def service(self, passwords: Passwords) -> AuthService:
        ids, secrets = count(1), count(1)
        verifier = TokenVerifier(jwks=lambda _: self.keys.public, issuer="unit", clock=self.clock)
        return AuthService(
            users=self.users,
            passwords=passwords,
            sessions=SessionService(
                sessions=self.sessions,
                bans=self.bans,
                presence=self.presence,
                policy=lambda: POLICY,
                clock=self.clock,
                new_id=lambda: f"s{next(ids)}",
                new_secret=lambda: f"secret{next(secrets)}",
                forget=lambda *_: None,
            ),
            signer=TokenSigner(key=self.keys.signing_key, issuer="unit", clock=self.clock),
            authenticator=Authenticator(verifier, self.sessions),
            registry=self.presence,
            policy=lambda: POLICY,
            clock=self.clock,
            new_id=lambda: f"u{next(ids)}",
        )

    def login(
        self, username: str = "alice", password: str = "password", device: str = "phone"
    ) -> Tokens:
        return self.auth.login(username, password, device_id=device, device_name="")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.auth.register("Alice", "password", user_id="ualice")
    return made


@pytest.mark.req("APP-1", "IM-8")
def test_a_registered_user_can_log_in(desk: Desk) -> None:
    tokens = desk.login()

    assert tokens.user.username == "Alice"
    assert tokens.device_id == "phone"
    assert tokens.expires_in == 60


def test_a_user_is_prepared_before_they_exist(desk: Desk) -> None:
    class Refusing(FakeUsers):
        def create(self, user: object) -> bool:
            assert desk.presence.registered[-1] == "ubob"
            return True

    desk.auth._users = Refusing()

    assert desk.auth.register("bob", "password", user_id="ubob").id == "ubob"


@pytest.mark.parametrize("username", ["Alice", "alice", "ALICE"])
def test_a_name_is_taken_whatever_its_case(desk: Desk, username: str) -> None:
    with pytest.raises(UsernameTakenError):
        desk.auth.register(username, "password2")


def test_of_two_registrations_at_once_one_finds_the_name_taken(desk: Desk) -> None:
    desk.users.by_name = lambda _: None  # type: ignore[method-assign,assignment]
    desk.users.create = lambda _: False  # type: ignore[method-assign,assignment]

    with pytest.raises(UsernameTakenError):
        desk.auth.register("bob", "password")


@pytest.mark.parametrize("username", [*sorted(RESERVED), "Admin"])
def test_names_that_look_like_the_operator_s_are_reserved(desk: Desk, username: str) -> None:
    with pytest.raises(UsernameTakenError):
        desk.auth.register(username, "password")


def test_a_repeated_attempt_at_a_registration_finds_what_the_first_one_made(desk: Desk) -> None:
    again = desk.auth.register("Alice", "password", user_id="ualice")

    assert again == desk.users.rows["ualice"]


@pytest.mark.req("APP-1")
@pytest.mark.parametrize(("username", "is_known"), [("alice", True), ("nobody", False)])
def test_wrong_credentials_say_the_same_after_the_same_work(
    desk: Desk, username: str, is_known: bool
) -> None:
    with pytest.raises(InvalidCredentialsError) as caught:
        desk.login(username, "wrong password")

    assert str(caught.value) == "Wrong user name or password"
    assert desk.passwords.verified == [is_known]


def test_a_hash_of_older_parameters_is_replaced_at_log_in(desk: Desk) -> None:
    stronger = CountingPasswords(time_cost=2)
    desk.auth = desk.service(stronger)
    before = desk.users.rows["ualice"].password_hash

    desk.login()

    after = desk.users.rows["ualice"].password_hash
    assert after != before
    assert not stronger.is_outdated(after)
    assert desk.login()


@pytest.mark.req("APP-3", "IM-8")
def test_an_access_token_says_who_and_on_which_device(desk: Desk) -> None:
    tokens = desk.login()

    who = desk.auth.parse_token(tokens.access_token)

    assert (who.user_id, who.device_id, who.roles) == ("ualice", "phone", ())
    assert who.expires_at == desk.clock.now + 60


@pytest.mark.req("IM-8")
def test_a_token_can_be_made_for_a_session(desk: Desk) -> None:
    desk.login()
    user, session = desk.users.rows["ualice"], desk.sessions.rows["ualice", "phone"]

    token = desk.auth.generate_token(replace(user, roles=("admin",)), session)

    assert desk.auth.parse_token(token).roles == ("admin",)


def test_a_new_log_in_on_a_device_makes_its_older_tokens_worthless(desk: Desk) -> None:
    old = desk.login()
    desk.login()

    with pytest.raises(UnauthorizedError):
        desk.auth.parse_token(old.access_token)


def test_a_refresh_gives_a_new_pair_for_the_same_session(desk: Desk) -> None:
    first = desk.login()

    second = desk.auth.refresh(first.refresh_token)

    ids = [desk.auth.parse_token(one.access_token).session_id for one in (first, second)]
    assert ids[0] == ids[1]
    with pytest.raises(TokenReusedError):
        desk.auth.refresh(first.refresh_token)


def test_a_deleted_user_cannot_refresh(desk: Desk) -> None:
    tokens = desk.login()
    del desk.users.rows["ualice"]

    with pytest.raises(UnauthorizedError):
        desk.auth.refresh(tokens.refresh_token)
    assert desk.sessions.rows == {}


def test_a_changed_password_logs_the_other_devices_out(desk: Desk) -> None:
    mine, other = desk.login(device="phone"), desk.login(device="tablet")

    desk.auth.change_password(desk.auth.parse_token(mine.access_token), "password", "another one")

    assert desk.auth.parse_token(mine.access_token)
    with pytest.raises(UnauthorizedError):
        desk.auth.parse_token(other.access_token)
    with pytest.raises(InvalidCredentialsError):
        desk.login(password="password")
    assert desk.login(password="another one")


def test_a_password_is_not_changed_without_the_old_one(desk: Desk) -> None:
    who = desk.auth.parse_token(desk.login().access_token)

    with pytest.raises(InvalidCredentialsError):
        desk.auth.change_password(who, "wrong password", "another one")
    assert desk.login(password="password")


def test_of_two_password_changes_at_once_one_fails(desk: Desk) -> None:
    who = desk.auth.parse_token(desk.login().access_token)
    desk.users.set_password = lambda *_: False  # type: ignore[method-assign]

    with pytest.raises(InvalidCredentialsError):
        desk.auth.change_password(who, "password", "another one")


def test_the_administrator_is_made_once(desk: Desk) -> None:
    admin = desk.auth.ensure_admin("operator's own")

    assert desk.auth.ensure_admin("operator's own") == admin
    tokens = desk.login("admin", "operator's own")
    assert desk.auth.parse_token(tokens.access_token).roles == ("admin",)


def test_another_administrator_s_password_ends_the_sessions_of_the_old_one(desk: Desk) -> None:
    desk.auth.ensure_admin("first password")
    tokens = desk.login("admin", "first password")

    desk.auth.ensure_admin("second password")

    with pytest.raises(UnauthorizedError):
        desk.auth.parse_token(tokens.access_token)
    assert desk.login("admin", "second password")


@pytest.mark.req("TASK-6")
def test_who_is_deleted_while_logging_in_gets_no_session(desk: Desk) -> None:
    put = desk.sessions.put

    def put_late(session: Session) -> None:
        desk.users.erase("ualice", datetime.now(UTC))
        put(session)

    desk.sessions.put = put_late  # type: ignore[method-assign]

    with pytest.raises(UnauthorizedError):
        desk.login()
    assert desk.sessions.of_user("ualice") == []


def test_the_name_of_a_deleted_user_stays_taken(desk: Desk) -> None:
    desk.users.erase("ualice", datetime.now(UTC))

    with pytest.raises(UsernameTakenError):
        desk.auth.register("alice", "password")
    with pytest.raises(InvalidCredentialsError):
        desk.login()
