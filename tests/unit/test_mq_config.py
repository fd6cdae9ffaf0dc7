from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.coord import Parameter
from chalicelib.mq import MqConfigError, config

PATH = "/lambchat/local/mq/shop"


class Centre:
    def __init__(self, **documents: Any) -> None:
        self.documents = {f"/lambchat/local/mq/{name}": text for name, text in documents.items()}

    def get(self, path: str) -> Parameter | None:
        text = self.documents.get(path)
        if text is None:
            return None
        return Parameter(path, text if isinstance(text, str) else json.dumps(text), 1)


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "local")


def load(**documents: Any) -> config.Config:
    return config.load(Centre(**documents), "shop")  # type: ignore[arg-type]


@pytest.mark.req("MQ-2")
def test_a_service_has_its_own_configuration_or_else_the_default() -> None:
    assert load(shop={"brokers": ["a:1", "b:2,c:3"]}).brokers == ("a:1", "b:2", "c:3")
    assert load(default={"brokers": ["d:4"], "linger_ms": 5}).linger_ms == 5


@pytest.mark.req("MQ-2")
def test_every_wrong_key_is_named_with_what_was_expected() -> None:
    wrong = {"brokers": "a:1", "driver": "c", "linger_ms": "1", "colour": "red", "password": 7}

    with pytest.raises(MqConfigError) as caught:
        load(shop=wrong)

    text = str(caught.value)
    assert text.startswith(PATH)
    assert "brokers: expected a list of host:port" in text
    assert "driver: expected one of kafka-python, confluent-kafka, found 'c'" in text
    assert "linger_ms: expected a whole number, found '1'" in text
    assert "colour: not a key of this document" in text
    assert "password: expected text" in text
    assert "7" not in text


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(MqConfigError, match="JSON"):
        load(shop=text)


def test_sasl_needs_a_name_and_a_password_and_never_shows_it() -> None:
    with pytest.raises(MqConfigError, match="username, password"):
        load(shop={"brokers": ["a:1"], "security": "SASL_SSL"})

    found = load(
        shop={"brokers": ["a:1"], "security": "SASL_SSL", "username": "u", "password": "secret"}
    )
    assert "secret" not in repr(found)


def test_without_configuration_both_places_are_named() -> None:
    with pytest.raises(MqConfigError, match=r"mq/shop and no .*mq/default"):
        load()


@pytest.mark.req("MQ-2")
@pytest.mark.parametrize("driver", ["kafka-python", "confluent-kafka"])
def test_both_drivers_take_tls_sasl_and_iam_from_the_document(driver: str) -> None:
    shared = {"brokers": ["a:1"], "driver": driver, "ca_file": "ca.pem"}
    names = {"username": "u", "password": "p", "sasl_mechanism": "SCRAM-SHA-256"}

    sasl = connection(load(shop={**shared, "security": "SASL_SSL", **names}))
    iam = connection(load(shop={**shared, "security": "IAM"}))

    assert sasl["protocol"] == iam["protocol"] == "SASL_SSL"
    assert (sasl["mechanism"], iam["mechanism"]) == ("SCRAM-SHA-256", "OAUTHBEARER")
    assert (sasl["username"], sasl["password"], sasl["ca"]) == ("u", "p", "ca.pem")


def connection(settings: config.Config) -> dict[str, Any]:
    """A driver's settings under names that both share."""
    if settings.driver == "confluent-kafka":
        from chalicelib.mq.drivers import confluent

        found = confluent.connection(settings)
        keys = ("security.protocol", "sasl.mechanism", "sasl.username", "sasl.password")
        values = [found.get(key) for key in (*keys, "ssl.ca.location")]
    else:
        from chalicelib.mq.drivers import python

        found = python.connection(settings)
        keys = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
        values = [found.get(key) for key in (*keys, "ssl_cafile")]
    return dict(zip(("protocol", "mechanism", "username", "password", "ca"), values, strict=True))


def test_a_token_for_msk_is_signed_with_the_credentials_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from chalicelib.mq.drivers import iam

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    token, expires_at = iam.token(load(shop={"brokers": ["a:1"], "security": "IAM"}))

    assert len(token) > 100
    assert "secret" not in token
    assert expires_at > 1_700_000_000
