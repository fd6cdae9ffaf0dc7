from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from chalicelib.errors import LimitReachedError, UnavailableError
from chalicelib.repo.push_tokens import MAX_PER_USER, PushTokenRepository
from tests.contract.conftest import Connect
from tests.fakes_push import FakePushTokens, device

pytestmark = pytest.mark.req("IM-12")
Tokens = PushTokenRepository | FakePushTokens


@pytest.fixture(params=["fake", "endpoint"])
def tokens(request: pytest.FixtureRequest) -> Iterator[Tokens]:
    if request.param == "fake":
        yield FakePushTokens()
    else:
        yield PushTokenRepository(request.getfixturevalue("tables"))


@pytest.fixture
def ann() -> str:
    return f"ann-{uuid.uuid4().hex[:8]}"


def test_devices_are_read_back_whole_for_those_who_have_some(tokens: Tokens, ann: str) -> None:
    phone, tablet = device(ann), device(ann, "tablet", session_id="s2", endpoint="e2")

    assert tokens.put(phone) == ""
    assert tokens.put(tablet) == ""

    found = tokens.of([ann, ann, "nobody"])
    assert found.keys() == {ann}
    assert sorted(found[ann], key=lambda one: one.device_id) == [phone, tablet]


def test_a_device_is_replaced_and_its_earlier_endpoint_is_told(tokens: Tokens, ann: str) -> None:
    tokens.put(device(ann, endpoint="before"))

    assert tokens.put(device(ann, endpoint="now")) == "before"
    assert [one.endpoint for one in tokens.of([ann])[ann]] == ["now"]


def test_a_device_is_removed_or_only_if_it_has_an_endpoint(tokens: Tokens, ann: str) -> None:
    for name in ("phone", "tablet"):
        tokens.put(device(ann, name, endpoint=name))

    assert tokens.remove(ann, "phone", endpoint="another") == ""
    assert tokens.remove(ann, "phone", endpoint="phone") == "phone"
    assert tokens.remove(ann, "phone") == ""
    assert tokens.remove("nobody", "phone") == ""
    assert [one.device_id for one in tokens.of([ann])[ann]] == ["tablet"]
    assert tokens.remove(ann, "tablet") == "tablet"
    assert tokens.of([ann]) == {}


def test_all_devices_go_at_once(tokens: Tokens, ann: str) -> None:
    for name in ("phone", "tablet"):
        tokens.put(device(ann, name, endpoint=name))

    assert sorted(tokens.remove_all(ann)) == ["phone", "tablet"]
    assert tokens.remove_all(ann) == []
    assert tokens.of([ann]) == {}


def test_a_user_has_so_many_devices_and_may_still_change_them(tokens: Tokens, ann: str) -> None:
    for number in range(MAX_PER_USER):
        tokens.put(device(ann, f"d{number}"))

    with pytest.raises(LimitReachedError):
        tokens.put(device(ann, "one-more"))
    assert tokens.put(device(ann, "d0", endpoint="new"))
    assert len(tokens.of([ann])[ann]) == MAX_PER_USER


def test_a_claim_holds_for_its_message_until_it_is_settled(tokens: Tokens, ann: str) -> None:
    both = {ann: 7, f"{ann}-2": 7}

    assert tokens.claim("room", both, now=100.0, until=130.0) == both.keys()
    assert tokens.claim("room", both, now=101.0, until=131.0) == both.keys()
    tokens.settle("room", {ann: 7})

    assert tokens.claim("room", both, now=102.0, until=132.0) == {f"{ann}-2"}


def test_a_claim_keeps_others_off_until_its_time_is_over(tokens: Tokens, ann: str) -> None:
    tokens.claim("room", {ann: 7}, now=100.0, until=130.0)

    assert tokens.claim("room", {ann: 8}, now=129.9, until=160.0) == set()
    assert tokens.claim("other", {ann: 1}, now=129.9, until=160.0) == {ann}
    tokens.settle("room", {ann: 7})
    assert tokens.claim("room", {ann: 8}, now=130.0, until=160.0) == {ann}


def test_a_settlement_of_an_earlier_message_settles_nothing(tokens: Tokens, ann: str) -> None:
    tokens.claim("room", {ann: 7}, now=100.0, until=130.0)
    tokens.claim("room", {ann: 8}, now=130.0, until=160.0)

    tokens.settle("room", {ann: 7})

    assert tokens.claim("room", {ann: 8}, now=131.0, until=161.0) == {ann}


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    tokens = PushTokenRepository(connect())

    for ask in (
        lambda: tokens.of(["ann"]),
        lambda: tokens.put(device("ann")),
        lambda: tokens.remove("ann", "phone"),
        lambda: tokens.claim("room", {"ann": 1}, now=1.0, until=2.0),
    ):
        with pytest.raises(UnavailableError):
            ask()
