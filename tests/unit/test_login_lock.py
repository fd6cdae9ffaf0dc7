from __future__ import annotations

from contextlib import suppress

import pytest

from chalicelib.errors import BannedError, InvalidCredentialsError, RateLimitedError
from chalicelib.logic.limits import Rate, RateLimiter
from chalicelib.logic.login_lock import ACCOUNT, LoginLock
from chalicelib.logic.policies import AuthPolicy
from tests.fakes_accounts import Clock
from tests.fakes_limits import FakeCounters, FakeFailedLogins

HERE, THERE = "192.0.2.1", "198.51.100.1"


class Door:
    """An account's log-in."""

    def __init__(self, account_limit: int = 1000) -> None:
        self.clock = Clock()
        self.store = FakeFailedLogins()
        rates = {ACCOUNT: Rate(limit=account_limit, seconds=900)}
        limiter = RateLimiter(FakeCounters(), lambda: rates, self.clock)
        self.lock = LoginLock(self.store, limiter, policy=AuthPolicy, clock=self.clock)

    def fail(self, times: int = 1, *, account: str = "ann", address: str = HERE) -> None:
        for _ in range(times):
            with pytest.raises(InvalidCredentialsError), self.lock.attempt(account, address):
                raise InvalidCredentialsError

    def enter(self, *, account: str = "ann", address: str = HERE) -> None:
        with self.lock.attempt(account, address):
            pass

    def wait(self, **who: str) -> float:
        with pytest.raises(RateLimitedError) as refused:
            self.enter(**who)
        assert refused.value.retry_after is not None
        return refused.value.retry_after


@pytest.mark.req("APP-1")
def test_after_five_failures_even_the_right_password_must_wait() -> None:
    door = Door()

    door.fail(5)

    assert door.wait() == 30


@pytest.mark.req("APP-1")
def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    door = Door()
    door.fail(5)
    waits = []

    for _ in range(6):
        waits.append(door.wait())
        door.clock.now += waits[-1]
        door.fail()

    assert waits == [30, 60, 120, 240, 480, 900]
    door.enter()  # after 15 minutes they are forgotten


def test_a_right_password_after_the_wait_forgets_the_failures() -> None:
    door = Door()
    door.fail(5)
    door.clock.now += 30

    door.enter()

    door.fail(5)
    assert door.wait() == 30


def test_four_failures_and_a_right_password_lock_nothing() -> None:
    door = Door()

    for _ in range(4):
        door.fail(4)
        door.enter()

    assert door.store.rows == {}


def test_failures_are_remembered_for_a_quarter_of_an_hour() -> None:
    door = Door()
    door.fail(4)

    door.clock.now += 900
    door.fail(4)

    door.enter()


@pytest.mark.req("APP-1")
def test_nobody_is_locked_out_by_somebody_elsewhere() -> None:
    door = Door()

    door.fail(5)

    door.enter(address=THERE)
    door.enter(account="bob")
    assert door.wait() == 30


def test_an_account_is_the_same_whatever_the_case_of_its_name() -> None:
    door = Door()

    for name in ("ann", "Ann", "ANN", "aNN", "anN"):
        door.fail(account=name)

    assert door.wait() == 30


def test_an_address_is_the_same_in_all_its_network() -> None:
    door = Door()

    for number in range(5):
        door.fail(address=f"2001:db8::{number}")

    assert door.wait(address="2001:db8::99") == 30


@pytest.mark.req("APP-1")
def test_guesses_from_many_addresses_are_slowed_too() -> None:
    door = Door(account_limit=20)

    for number in range(20):
        door.fail(address=f"192.0.2.{number}")

    assert door.wait(address=THERE) > 0
    door.enter(account="bob")


def test_attempts_that_the_lock_refuses_do_not_use_up_the_account() -> None:
    door = Door(account_limit=20)
    door.fail(5)
    for _ in range(50):
        door.wait()

    door.enter(address=THERE)


def test_of_many_attempts_at_the_end_of_the_lock_one_is_made() -> None:
    door = Door()
    door.fail(5)
    door.clock.now += 30

    with suppress(InvalidCredentialsError), door.lock.attempt("ann", HERE):
        assert door.wait() > 0
        raise InvalidCredentialsError
    assert door.wait() == 60


def test_who_was_faster_is_seen_after_reading_too(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    door.fail(5)
    door.clock.now += 31
    monkeypatch.setattr(door.store, "claim", lambda *_, **__: False)

    assert door.wait() == 1


def test_another_error_is_no_failure_and_no_success() -> None:
    door = Door()
    door.fail(4)

    with pytest.raises(BannedError), door.lock.attempt("ann", HERE):
        raise BannedError

    door.fail()
    assert door.wait() == 30


def test_names_are_not_kept() -> None:
    """People type their password where the name belongs."""
    door = Door()

    door.fail(account="my-secret-password")

    assert "secret" not in str(door.store.rows)
