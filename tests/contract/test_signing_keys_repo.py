from __future__ import annotations

from uuid import uuid4

import pytest

from chalicelib.coord import ConfigCentre
from chalicelib.errors import UnavailableError
from chalicelib.logic.keys import KeyService, KeyStore
from chalicelib.repo.signing_keys import SigningKeyRepository
from tests.contract.conftest import Connect
from tests.fakes_accounts import FakeKeyStore


@pytest.fixture(params=["fake", "endpoint"])
def store(request: pytest.FixtureRequest) -> KeyStore:
    if request.param == "fake":
        return FakeKeyStore()
    prefix = f"/lambchat/{uuid4().hex}/auth"
    connect: Connect = request.getfixturevalue("connect")
    return SigningKeyRepository(
        connect("ssm"), key_path=f"{prefix}/signing-key", jwks_path=f"{prefix}/jwks"
    )


def test_there_is_nothing_at_first(store: KeyStore) -> None:
    assert store.signing_key() is None
    assert store.jwks() is None


def test_the_first_signing_key_stays_until_it_is_replaced(store: KeyStore) -> None:
    assert store.add_signing_key("first")
    assert not store.add_signing_key("second")
    assert store.signing_key() == "first"

    store.replace_signing_key("third")

    assert store.signing_key() == "third"


def test_the_public_keys_are_read_back(store: KeyStore) -> None:
    store.put_jwks('{"keys": []}')

    assert store.jwks() == '{"keys": []}'


def test_the_configuration_centre_reads_the_secret_that_was_written(connect: Connect) -> None:
    path = f"/lambchat/{uuid4().hex}/auth"
    store = SigningKeyRepository(connect("ssm"), key_path=f"{path}/key", jwks_path=f"{path}/jwks")
    KeyService(store).ensure()

    found = ConfigCentre(connect("ssm")).get(f"{path}/key")

    assert found is not None
    assert found.value == store.signing_key()
    assert "PRIVATE KEY" not in repr(found)


def test_a_parameter_store_that_is_away_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = SigningKeyRepository(connect("ssm"), key_path="/k", jwks_path="/j")

    with pytest.raises(UnavailableError):
        store.signing_key()
    with pytest.raises(UnavailableError):
        store.add_signing_key("x")
    with pytest.raises(UnavailableError):
        store.replace_signing_key("x")
    with pytest.raises(UnavailableError):
        store.put_jwks("x")
