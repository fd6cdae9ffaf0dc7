from __future__ import annotations

from typing import Any

import jwt
import pytest

from chalicelib.errors import TokenExpiredError, UnauthorizedError, UnavailableError
from chalicelib.logic.outside_tokens import LEEWAY_SECONDS, OutsideTokens, Trust
from chalicelib.logic.remote_documents import RemoteDocuments
from tests.fakes_accounts import Clock
from tests.fakes_identity import AUDIENCE, ISSUER, JWKS_URL, FakeWeb, Signer

TRUST = Trust(issuer=ISSUER, audience=AUDIENCE, jwks_url=JWKS_URL)


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.web = FakeWeb()
        self.signer = Signer(self.clock)
        self.publish(self.signer.jwk())
        self.tokens = OutsideTokens(RemoteDocuments(self.web.fetch, self.clock), self.clock)

    def publish(self, *keys: Any) -> None:
        self.web.answers[JWKS_URL] = (200, {"keys": list(keys)})


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_good_token_is_read(desk: Desk) -> None:
    claims = desk.tokens.claims(desk.signer.token(name="Ann"), TRUST)

    assert (claims["sub"], claims["name"]) == ("s-1", "Ann")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "RS512"])
def test_an_rsa_key_without_an_algorithm_verifies_what_the_token_says(
    desk: Desk, algorithm: str
) -> None:
    signer = Signer(desk.clock, algorithm=algorithm)
    desk.publish(signer.jwk())

    assert desk.tokens.claims(signer.token(), TRUST)["sub"] == "s-1"


def test_keys_may_stand_in_the_policy_itself(desk: Desk) -> None:
    trust = Trust(issuer=ISSUER, audience=AUDIENCE, jwks=(desk.signer.jwk(),))

    assert desk.tokens.claims(desk.signer.token(), trust)["sub"] == "s-1"
    assert desk.web.asked == []


def test_a_rotated_key_is_fetched_when_it_is_met(desk: Desk) -> None:
    desk.tokens.claims(desk.signer.token(), TRUST)
    rotated = Signer(desk.clock, kid="k2")
    desk.publish(desk.signer.jwk(), rotated.jwk())
    desk.clock.now += 30

    assert desk.tokens.claims(rotated.token(), TRUST)["sub"] == "s-1"
    assert len(desk.web.asked) == 2


def test_a_single_key_needs_no_key_id(desk: Desk) -> None:
    token = desk.signer.token(headers={"kid": None})
    assert desk.tokens.claims(token, TRUST)

    desk.publish(desk.signer.jwk(), Signer(desk.clock, kid="k2").jwk())
    desk.clock.now += 1000
    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(desk.signer.token(headers={"kid": None}), TRUST)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": None},
        {"exp": None},
        {"exp": "never"},
        {"exp": "NaN"},
        {"exp": float("nan")},
        {"exp": True},
        {"iat": None},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"nbf": [1]},
    ],
)
def test_a_token_with_wrong_claims_is_refused(desk: Desk, claims: dict[str, Any]) -> None:
    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(desk.signer.token(**claims), TRUST)


def test_an_expired_token_is_refused_after_the_leeway(desk: Desk) -> None:
    token = desk.signer.token()
    desk.clock.now += 300 + LEEWAY_SECONDS - 1
    assert desk.tokens.claims(token, TRUST)

    desk.clock.now += 1
    with pytest.raises(TokenExpiredError):
        desk.tokens.claims(token, TRUST)


def test_a_token_of_another_key_with_the_same_id_is_refused(desk: Desk) -> None:
    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(Signer(desk.clock).token(), TRUST)


def test_an_altered_token_is_refused(desk: Desk) -> None:
    head, _, signature = desk.signer.token().split(".")
    body = desk.signer.token(sub="s-2").split(".")[1]

    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(".".join((head, body, signature)), TRUST)


def test_no_signature_and_a_shared_secret_are_refused(desk: Desk) -> None:
    """The public key used as the secret of an HMAC is the classic forgery."""
    claims = jwt.decode(desk.signer.token(), options={"verify_signature": False})
    public = str(desk.signer.jwk()["x"]).ljust(64, "x")
    forged = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"}),
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": "k1"}),
    ]

    for token in forged:
        with pytest.raises(UnauthorizedError):
            desk.tokens.claims(token, TRUST)


@pytest.mark.parametrize(
    "jwk", [{"use": "enc"}, {"alg": "ES384"}, {"kid": "k9"}, {"kty": "RSA"}, {"x": "rubbish"}]
)
def test_a_key_for_something_else_is_not_used(desk: Desk, jwk: dict[str, str]) -> None:
    desk.publish("no key", desk.signer.jwk(**jwk))

    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(desk.signer.token(), TRUST)


def test_an_algorithm_that_the_operator_does_not_want_is_refused(desk: Desk) -> None:
    trust = Trust(
        issuer=ISSUER, audience=AUDIENCE, jwks_url=JWKS_URL, algorithms=frozenset({"RS256"})
    )

    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(desk.signer.token(), trust)


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 20_000, "e30.e30.", "é.b.c"])
def test_what_is_no_token_is_refused(desk: Desk, token: str) -> None:
    with pytest.raises(UnauthorizedError):
        desk.tokens.claims(token, TRUST)


def test_an_issuer_that_is_away_is_no_reason_to_call_the_token_bad(desk: Desk) -> None:
    desk.web.answers = {}

    with pytest.raises(UnavailableError):
        desk.tokens.claims(desk.signer.token(), TRUST)
