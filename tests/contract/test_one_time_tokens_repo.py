from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.repo.one_time_tokens import OneTimeTokenRepository
from tests.contract.conftest import Connect
from tests.fakes_accounts import Clock
from tests.fakes_identity import FakeOneTimeTokens

Tokens = OneTimeTokenRepository | FakeOneTimeTokens
VALUE = {"user_id": "uann", "note": "Zoë’s 📱", "empty": ""}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "endpoint"])
def tokens(request: pytest.FixtureRequest, clock: Clock) -> Tokens:
    if request.param == "fake":
        return FakeOneTimeTokens(clock)
    return OneTimeTokenRepository(request.getfixturevalue("tables"), clock=clock)


@pytest.fixture
def key() -> str:
    return f"reset#{uuid4().hex}"


def test_a_token_is_taken_once(tokens: Tokens, clock: Clock, key: str) -> None:
    tokens.put(key, VALUE, expires_at=clock.now + 10.5)

    assert tokens.take(key) == VALUE
    assert tokens.take(key) is None


def test_a_token_that_is_too_old_or_nobody_s_is_not_taken(
    tokens: Tokens, clock: Clock, key: str
) -> None:
    tokens.put(key, VALUE, expires_at=clock.now + 10.5)
    clock.now += 10.5

    assert tokens.take(key) is None
    assert tokens.take("reset#nobody") is None


def test_of_many_who_take_a_token_at_once_one_gets_it(
    connect: Connect, clock: Clock, key: str
) -> None:
    takers = [OneTimeTokenRepository(connect(), clock=clock) for _ in range(4)]
    takers[0].put(key, VALUE, expires_at=clock.now + 10)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda one: one.take(key), takers))

    assert sorted(taken, key=str) == [None, None, None, VALUE]


def test_a_store_that_refuses_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        OneTimeTokenRepository(connect()).take("reset#x")
