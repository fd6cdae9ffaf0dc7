from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import uuid4

import pytest

from chalicelib.errors import IdempotencyConflictError, UnavailableError
from chalicelib.repo.idempotency import (
    KEPT_SECONDS,
    LEASE_SECONDS,
    Attempt,
    IdempotencyRepository,
)
from tests.fakes_accounts import Clock, FakeIdempotency

Idempotency = IdempotencyRepository | FakeIdempotency


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "moto", "endpoint"])
def table(request: pytest.FixtureRequest, clock: Clock) -> Idempotency:
    if request.param == "fake":
        return FakeIdempotency(clock)
    request.getfixturevalue("tables" if request.param == "endpoint" else "moto")
    ids = count()
    return IdempotencyRepository(clock=clock, new_id=lambda: f"operation{next(ids)}")


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.mark.req("SHAPE-9")
def test_a_repetition_gets_the_answer_of_the_first(table: Idempotency, key: str) -> None:
    first = table.begin(key, "body")
    assert first.status == 0
    table.finish(first, 201, '{"id":"é"}')

    again = table.begin(key, "body")

    assert (again.status, again.answer) == (201, '{"id":"é"}')


def test_another_body_is_a_conflict(table: Idempotency, key: str) -> None:
    table.finish(table.begin(key, "body"), 201, "{}")

    with pytest.raises(IdempotencyConflictError):
        table.begin(key, "other body")


def test_a_request_that_is_still_running_is_a_conflict_for_now(
    table: Idempotency, key: str
) -> None:
    table.begin(key, "body")

    with pytest.raises(IdempotencyConflictError) as caught:
        table.begin(key, "body")

    assert caught.value.retry_after == pytest.approx(LEASE_SECONDS)


def test_after_the_lease_a_repetition_goes_on_with_the_same_operation(
    table: Idempotency, key: str, clock: Clock
) -> None:
    died = table.begin(key, "body")
    clock.now += LEASE_SECONDS

    again = table.begin(key, "body")

    assert again.status == 0
    assert again.operation_id == died.operation_id
    with pytest.raises(IdempotencyConflictError):
        table.begin(key, "body")


def test_who_was_thought_dead_does_not_overwrite_the_answer(
    table: Idempotency, key: str, clock: Clock
) -> None:
    slow = table.begin(key, "body")
    clock.now += LEASE_SECONDS
    quick = table.begin(key, "body")
    table.finish(quick, 201, "quick")

    table.finish(slow, 409, "slow")
    table.abandon(slow)

    assert table.begin(key, "body").answer == "quick"


def test_a_failed_attempt_can_be_repeated_at_once(table: Idempotency, key: str) -> None:
    failed = table.begin(key, "body")
    table.abandon(failed)

    again = table.begin(key, "body")

    assert again.operation_id == failed.operation_id
    with pytest.raises(IdempotencyConflictError):
        table.begin(key, "other body")


def test_a_key_is_forgotten_after_a_day(table: Idempotency, key: str, clock: Clock) -> None:
    first = table.begin(key, "body")
    table.finish(first, 201, "{}")
    clock.now += KEPT_SECONDS

    fresh = table.begin(key, "other body")

    assert fresh.status == 0
    assert fresh.operation_id != first.operation_id


def test_of_many_equal_requests_at_once_one_works(endpoint: str, key: str, clock: Clock) -> None:
    ids = count()

    def begin(_: int) -> bool:
        table = IdempotencyRepository(clock=clock, new_id=lambda: f"operation{next(ids)}")
        try:
            return table.begin(key, "body").status == 0
        except IdempotencyConflictError:
            return False

    with ThreadPoolExecutor(6) as pool:
        working = list(pool.map(begin, range(6)))

    assert working.count(True) == 1


def test_a_store_that_is_away_is_unavailable(
    moto: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Attempt(key="k", operation_id="o", lease_until=0.0)
    monkeypatch.setenv("STAGE", "no-such-stage")
    table = IdempotencyRepository(clock=clock, new_id=lambda: "operation")

    with pytest.raises(UnavailableError):
        table.begin("k", "body")
    with pytest.raises(UnavailableError):
        table.finish(attempt, 201, "{}")


def test_a_store_that_hangs_up_is_unavailable(
    endpoint: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        table = IdempotencyRepository(clock=clock, new_id=lambda: "operation")

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(UnavailableError, match="the store answered PutError"):
            table.begin("k", "body")


def test_calls_go_through_the_guard(moto: None, clock: Clock, key: str) -> None:
    guarded = []

    def guard(call: Callable[[], object]) -> object:
        guarded.append(call)
        return call()

    table = IdempotencyRepository(clock=clock, new_id=lambda: "operation", guard=guard)

    table.finish(table.begin(key, "body"), 201, "{}")

    assert len(guarded) == 2
