from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import LinkedIdentity
from chalicelib.repo.identities import IdentityRepository
from tests.contract.conftest import Connect
from tests.fakes_identity import ISSUER, FakeIdentities

Identities = IdentityRepository | FakeIdentities


@pytest.fixture(params=["fake", "endpoint"])
def identities(request: pytest.FixtureRequest) -> Identities:
    if request.param == "fake":
        return FakeIdentities()
    return IdentityRepository(request.getfixturevalue("tables"))


@pytest.fixture
def ann() -> LinkedIdentity:
    unique = uuid4().hex
    return LinkedIdentity(
        issuer=ISSUER, subject=f"Zoë {unique}", user_id=f"u{unique[:19]}", pending=True
    )


def test_an_identity_belongs_to_who_claims_it_first(
    identities: Identities, ann: LinkedIdentity
) -> None:
    assert identities.get(ISSUER, ann.subject) is None

    assert identities.claim(ann) == ann
    assert identities.claim(replace(ann, user_id="ubob")) == ann

    assert identities.get(ISSUER, ann.subject) == ann
    assert identities.get("https://other.example", ann.subject) is None


def test_a_settled_identity_is_pending_no_more(identities: Identities, ann: LinkedIdentity) -> None:
    identities.claim(ann)

    for _ in range(2):
        identities.settle(ann)

    assert identities.get(ISSUER, ann.subject) == replace(ann, pending=False)


def test_the_identities_of_a_user_are_found_and_forgotten(
    identities: Identities, ann: LinkedIdentity
) -> None:
    second = replace(ann, subject=f"{ann.subject} 2")
    for one in (ann, second):
        identities.claim(one)
    assert sorted(identities.of_user(ann.user_id)) == [
        (ISSUER, ann.subject),
        (ISSUER, second.subject),
    ]

    for _ in range(2):
        identities.forget(ann.user_id)

    assert identities.of_user(ann.user_id) == []
    assert identities.get(ISSUER, ann.subject) is None
    assert identities.claim(replace(ann, user_id="ubob")).user_id == "ubob"


def test_a_store_that_refuses_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, ann: LinkedIdentity
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    for attempt in (
        lambda one: one.get(ISSUER, "s"),
        lambda one: one.claim(ann),
    ):
        with pytest.raises(UnavailableError):
            attempt(IdentityRepository(connect()))
