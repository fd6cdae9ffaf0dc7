"""Fakes at the ports of users whom others vouch for, and an issuer that signs tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from chalicelib.errors import UnavailableError
from chalicelib.models import LinkedIdentity
from tests.fakes_accounts import Clock

ISSUER = "https://id.example"
JWKS_URL = f"{ISSUER}/jwks"
AUDIENCE = "chat"


class FakeIdentities:
    """Identities in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], LinkedIdentity] = {}

    def get(self, issuer: str, subject: str) -> LinkedIdentity | None:
        return self.rows.get((issuer, subject))

    def claim(self, identity: LinkedIdentity) -> LinkedIdentity:
        return self.rows.setdefault((identity.issuer, identity.subject), identity)

    def settle(self, identity: LinkedIdentity) -> None:
        key = identity.issuer, identity.subject
        self.rows[key] = LinkedIdentity(
            issuer=identity.issuer, subject=identity.subject, user_id=identity.user_id
        )

    def of_user(self, user_id: str) -> list[tuple[str, str]]:
        return [key for key, one in self.rows.items() if one.user_id == user_id]

    def forget(self, user_id: str) -> None:
        self.rows = {key: one for key, one in self.rows.items() if one.user_id != user_id}


class FakeOneTimeTokens:
    """One-time tokens in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rows: dict[str, tuple[Mapping[str, str], float]] = {}

    def put(self, key: str, value: Mapping[str, str], *, expires_at: float) -> None:
        self.rows[key] = (dict(value), expires_at)

    def take(self, key: str) -> Mapping[str, str] | None:
        value, expires_at = self.rows.get(key, ({}, 0.0))
        if expires_at <= self._clock():
            return None
        del self.rows[key]
        return value


class FakeWeb:
    """Servers that answer, by address; remembers what they were asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.posted: list[tuple[Mapping[str, str], str]] = []

    def fetch(
        self, url: str, form: Mapping[str, str] | None = None, *, authorization: str = ""
    ) -> tuple[int, dict[str, Any]]:
        self.asked.append(url)
        if form is not None:
            self.posted.append((form, authorization))
        if url not in self.answers:
            raise UnavailableError(f"{url} did not answer")
        return self.answers[url]


class Signer:
    """An issuer's key, and tokens signed with it."""

    def __init__(self, clock: Clock, kid: str = "k1", algorithm: str = "ES256") -> None:
        self.clock = clock
        self.kid = kid
        self.algorithm = algorithm
        self.key: Any = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else rsa.generate_private_key(65537, 2048)
        )

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public key."""
        kind = ECAlgorithm if self.algorithm == "ES256" else RSAAlgorithm
        made = json.loads(kind.to_jwk(self.key.public_key()))
        return {**made, "kid": self.kid, "use": "sig", **more}

    def token(self, *, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A good token, except for what is said otherwise; a claim that is None is left out."""
        now = int(self.clock())
        given = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "s-1",
            "iat": now,
            "exp": now + 300,
            **claims,
        }
        body = {name: value for name, value in given.items() if value is not None}
        extra = {"kid": self.kid, **(headers or {})}
        extra = {name: value for name, value in extra.items() if value is not None}
        return jwt.encode(body, self.key, algorithm=self.algorithm, headers=extra)
