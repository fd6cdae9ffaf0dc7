from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import RateLimitedError, UnavailableError
from chalicelib.logic.limits import Counters, Rate, RateLimiter
from chalicelib.logic.login_lock import Store
from chalicelib.repo.dynamodb import encode_item
from chalicelib.repo.limits import CounterRepository, FailedLoginRepository
from tests.contract.conftest import Connect
from tests.fakes_limits import FakeCounters, FakeFailedLogins

NOW = 1_800_000_000.5


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture(params=["fake", "endpoint"])
def counters(request: pytest.FixtureRequest) -> Counters:
    if request.param == "fake":
        return FakeCounters()
    return CounterRepository(request.getfixturevalue("tables"))


@pytest.fixture(params=["fake", "endpoint"])
def failed(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        return FakeFailedLogins()
    return FailedLoginRepository(request.getfixturevalue("tables"))


def adding(counters: Counters, key: str) -> Callable[[int, int, int], tuple[bool, tuple[int, int]]]:
    return lambda window, permits, at_most: counters.add(
        key, window, permits, at_most=at_most, expires_at=2_000_000_000
    )


def test_permits_are_counted_by_window(counters: Counters, key: str) -> None:
    add = adding(counters, key)

    assert add(7, 3, 100) == (True, (3, 0))
    assert add(7, 4, 100) == (True, (7, 0))
    assert add(8, 1, 100) == (True, (1, 7))
    assert add(10, 1, 100) == (True, (1, 0))


def test_beyond_the_most_nothing_is_counted_and_the_counts_are_told(
    counters: Counters, key: str
) -> None:
    add = adding(counters, key)
    add(7, 9, 10)
    add(8, 3, 10)

    assert add(8, 8, 10) == (False, (3, 9))
    assert add(8, 7, 10) == (True, (10, 9))


def test_an_item_does_not_grow(tables: JsonService, key: str) -> None:
    add = adding(CounterRepository(tables), key)

    for window in range(0, 60, 2):
        add(window, 1, 10)

    where = {"TableName": "lambchat-contract-limits", "Key": encode_item({"key": key})}
    item = tables.call("GetItem", where)["Item"]
    assert len(item) <= 12
    assert {"w58", "ttl"} <= item.keys()


def test_environments_that_count_at_once_keep_the_limit(connect: Connect, key: str) -> None:
    rates = {"write": Rate(limit=40, seconds=60, lease=5)}

    def environment() -> int:
        limiter = RateLimiter(CounterRepository(connect()), lambda: rates, lambda: NOW)
        passed = 0
        for _ in range(41):  # until it is refused: then nothing of its lease is left
            try:
                limiter.take(key, "write")
            except RateLimitedError:
                continue
            passed += 1
        return passed

    with ThreadPoolExecutor(4) as pool:
        passed = sum(one.result() for one in [pool.submit(environment) for _ in range(4)])

    assert passed == 40


def test_failures_are_counted_as_long_as_they_are_remembered(failed: Store, key: str) -> None:
    assert failed.get(key) is None

    failed.add(key, at=NOW, since=NOW - 900, expires_at=int(NOW) + 900)
    failed.add(key, at=NOW + 1, since=NOW - 899, expires_at=int(NOW) + 901)
    known = failed.get(key)
    assert known is not None
    assert (known.failures, known.at) == (2, NOW + 1)

    failed.add(key, at=NOW + 901, since=NOW + 1, expires_at=int(NOW) + 1801)
    known = failed.get(key)
    assert known is not None
    assert (known.failures, known.at) == (1, NOW + 901)


def test_an_attempt_is_claimed_once(failed: Store, key: str) -> None:
    failed.add(key, at=NOW, since=0.0, expires_at=int(NOW) + 900)

    claims = [failed.claim(key, at=NOW + 30, seen=NOW) for _ in range(2)]

    assert claims == [True, False]
    known = failed.get(key)
    assert known is not None
    assert (known.failures, known.at) == (1, NOW + 30)


def test_a_success_forgets_the_failures(failed: Store, key: str) -> None:
    failed.add(key, at=NOW, since=0.0, expires_at=int(NOW) + 900)

    failed.forget(key)

    assert failed.get(key) is None


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(UnavailableError):
        CounterRepository(connect()).add("k", 1, 1, at_most=1, expires_at=1)
    with pytest.raises(UnavailableError):
        FailedLoginRepository(connect()).get("k")
