from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from chalicelib.errors import TokenExpiredError, UnauthorizedError, UnavailableError
from chalicelib.logic.keys import KeyService
from chalicelib.logic.tokens import Authenticator, Identity, TokenSigner, TokenVerifier
from tests.fakes_accounts import Clock, FakeKeyStore

WHO = Identity(user_id="u1", device_id="phone", session_id="s1", roles=("admin",))


class Desk:
    """A signer and a verifier on the same keys."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = FakeKeyStore()
        self.keys = KeyService(self.store)
        self.keys.ensure()
        self.asked: list[float] = []
        self.published = self.store.public
        self.signer = TokenSigner(key=self.store.signing_key, issuer="unit", clock=self.clock)
        self.verifier = TokenVerifier(jwks=self.jwks, issuer="unit", clock=self.clock)

    def jwks(self, max_age_seconds: float) -> str | None:
        self.asked.append(max_age_seconds)
        if max_age_seconds == 0:
            self.published = self.store.public
        return self.published

    def token(self, **changes: Any) -> str:
        """A token signed with the right key, whose claims were changed; None leaves one out."""
        signed = self.signer.sign(WHO, seconds=900)
        claims = jwt.decode(signed, options={"verify_signature": False}) | changes
        document = json.loads(self.store.key or "")
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            document["pem"],
            algorithm="ES256",
            headers={"kid": document["kid"]},
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("APP-3")
def test_a_token_says_who_was_signed(desk: Desk) -> None:
    token = desk.signer.sign(WHO, seconds=900)

    read = desk.verifier.verify(token)

    assert (read.user_id, read.device_id, read.session_id, read.roles) == (
        "u1",
        "phone",
        "s1",
        ("admin",),
    )
    assert read.expires_at == desk.clock.now + 900


def test_a_token_is_asymmetric_and_names_its_key(desk: Desk) -> None:
    header = jwt.get_unverified_header(desk.signer.sign(WHO, seconds=900))

    assert header["alg"] == "ES256"
    assert header["kid"] == json.loads(desk.store.key or "")["kid"]


def test_an_expired_token_is_refused_as_expired(desk: Desk) -> None:
    token = desk.signer.sign(WHO, seconds=900)
    desk.clock.now += 900

    with pytest.raises(TokenExpiredError):
        desk.verifier.verify(token)


@pytest.mark.parametrize("claim", ["iss", "sub", "did", "sid", "roles", "iat", "exp", "typ"])
def test_a_token_without_one_of_the_claims_is_refused(desk: Desk, claim: str) -> None:
    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(desk.token(**{claim: None}))


@pytest.mark.parametrize(
    "claims", [{"iss": "other"}, {"typ": "refresh"}, {"roles": 5}, {"exp": "soon"}]
)
def test_a_token_with_a_wrong_claim_is_refused(desk: Desk, claims: dict[str, object]) -> None:
    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(desk.token(**claims))


def test_a_token_signed_with_another_key_under_our_kid_is_refused(desk: Desk) -> None:
    other = Desk()
    forged = json.loads(other.store.key or "") | {"kid": json.loads(desk.store.key or "")["kid"]}
    other.store.key = json.dumps(forged)

    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(other.signer.sign(WHO, seconds=900))


def test_a_token_whose_claims_were_changed_is_refused(desk: Desk) -> None:
    header, claims, signature = desk.signer.sign(WHO, seconds=900).split(".")
    altered = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": "u2"}
    forged = base64.urlsafe_b64encode(json.dumps(altered).encode()).decode().rstrip("=")

    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(f"{header}.{forged}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_with_another_algorithm_is_refused(desk: Desk, algorithm: str) -> None:
    """The public key must not serve as the secret of a symmetric algorithm."""
    kid = json.loads(desk.store.key or "")["kid"]
    claims = jwt.decode(desk.token(), options={"verify_signature": False})
    secret = "" if algorithm == "none" else "x" * 32
    token = jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": kid})

    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(token)


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", "é.è.ê", "\x00", "[" * 5000])
def test_what_is_no_token_is_refused(desk: Desk, token: str) -> None:
    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(token)


@pytest.mark.req("APP-3")
def test_after_a_rotation_old_and_new_tokens_are_good(desk: Desk) -> None:
    old = desk.signer.sign(WHO, seconds=900)
    desk.verifier.verify(old)
    desk.keys.rotate()
    new = desk.signer.sign(WHO, seconds=900)

    assert desk.verifier.verify(new).user_id == "u1"
    assert desk.verifier.verify(old).user_id == "u1"


def test_unknown_key_ids_do_not_have_the_keys_read_again_each_time(desk: Desk) -> None:
    stranger = Desk().signer.sign(WHO, seconds=900)

    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            desk.verifier.verify(stranger)

    assert desk.asked.count(0.0) == 1
    desk.clock.now += 10
    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(stranger)
    assert desk.asked.count(0.0) == 2


def test_without_a_key_nothing_is_signed_or_accepted(desk: Desk) -> None:
    token = desk.signer.sign(WHO, seconds=900)
    desk.store.key = desk.store.public = desk.published = None

    with pytest.raises(UnavailableError):
        TokenSigner(key=desk.store.signing_key, issuer="unit", clock=desk.clock).sign(
            WHO, seconds=1
        )
    with pytest.raises(UnauthorizedError):
        desk.verifier.verify(token)


@pytest.mark.parametrize("stands", [True, False])
def test_a_token_counts_only_as_long_as_its_session_stands(desk: Desk, stands: bool) -> None:
    class Sessions:
        def stands(self, user_id: str, device_id: str, session_id: str) -> bool:
            return stands and (user_id, device_id, session_id) == ("u1", "phone", "s1")

    authenticator = Authenticator(desk.verifier, Sessions())
    token = desk.signer.sign(WHO, seconds=900)

    if stands:
        assert authenticator.authenticate(token).user_id == "u1"
    else:
        with pytest.raises(UnauthorizedError):
            authenticator.authenticate(token)
