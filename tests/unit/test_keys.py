from __future__ import annotations

import json

import pytest

from chalicelib.logic.keys import KeyService
from tests.fakes_accounts import FakeKeyStore


def kids(store: FakeKeyStore) -> list[str]:
    return [key["kid"] for key in json.loads(store.public or "")["keys"]]


def test_the_first_key_is_made_once() -> None:
    store = FakeKeyStore()

    first = KeyService(store).ensure()
    made = store.key

    assert KeyService(store).ensure() == first
    assert store.key == made
    assert kids(store) == [first]


def test_the_public_keys_hold_nothing_secret() -> None:
    store = FakeKeyStore()

    KeyService(store).ensure()

    (key,) = json.loads(store.public or "")["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_who_comes_second_publishes_the_key_of_who_came_first() -> None:
    other = FakeKeyStore()
    first = KeyService(other).ensure()

    class Raced(FakeKeyStore):
        def add_signing_key(self, document: str) -> bool:
            self.key = other.key
            return False

    store = Raced()

    assert KeyService(store).ensure() == first
    assert kids(store) == [first]


@pytest.mark.req("APP-3")
def test_a_new_key_is_published_before_it_signs_and_the_old_one_stays() -> None:
    store = FakeKeyStore()
    first = KeyService(store).ensure()
    store.log.clear()

    second = KeyService(store).rotate()

    assert store.log == ["jwks", "key"]
    assert json.loads(store.key or "")["kid"] == second
    assert kids(store) == [second, first]


def test_three_public_keys_are_kept() -> None:
    store = FakeKeyStore()
    keys = KeyService(store)
    keys.ensure()

    rotated = [keys.rotate() for _ in range(4)]

    assert kids(store) == rotated[:0:-1]
