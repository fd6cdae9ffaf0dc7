"""Reading tokens that another issuer signed: ID tokens of OpenID providers, and access tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from chalicelib.errors import TokenExpiredError, UnauthorizedError
from chalicelib.logic.remote_documents import RemoteDocuments

# Asymmetric ones only: with a public key as its secret, an HMAC could be forged by anybody.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LEEWAY_SECONDS = 60  # between the issuer's clock and ours
MAX_TOKEN_CHARACTERS = 16 * 1024

Jwk = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a token must be to be believed.

    Attributes:
        issuer: Its ``iss``.
        audience: Who must be in its ``aud``.
        jwks_url: Where its keys are …
        jwks: … or the keys themselves.
        algorithms: Which it may be signed with.
    """

    issuer: str
    audience: str
    jwks_url: str = ""
    jwks: tuple[Jwk, ...] = ()
    algorithms: frozenset[str] = ALGORITHMS


class OutsideTokens:
    """Verifies tokens with the keys of their issuers; a rotated key is fetched when it is met.

    Args:
        documents: The key sets by address.
        clock: Unix seconds.
    """

    def __init__(self, documents: RemoteDocuments, clock: Callable[[], float]) -> None:
        self._documents = documents
        self._clock = clock

    def claims(self, token: str, trust: Trust) -> Mapping[str, Any]:
        """What a token says.

        Raises:
            UnauthorizedError: It is not what ``trust`` asks for.
            TokenExpiredError: It was.
            UnavailableError: The keys cannot be read.
        """
        try:
            claims = self._verified(token, trust)
            issued_at, expires_at = _seconds(claims["iat"]), _seconds(claims["exp"])
            valid_from = _seconds(claims.get("nbf", issued_at))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UnauthorizedError("the issuer's token is not valid") from error
        now = self._clock()
        if expires_at + LEEWAY_SECONDS <= now:
            raise TokenExpiredError("the issuer's token has expired")
        if max(issued_at, valid_from) > now + LEEWAY_SECONDS:
            raise UnauthorizedError("the issuer's token is not valid yet")
        return claims

    def _verified(self, token: str, trust: Trust) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError("the token is too long")
        header = jwt.get_unverified_header(token)
        algorithm = header["alg"]
        if algorithm not in trust.algorithms:
            raise ValueError("the algorithm is not allowed")
        key = jwt.PyJWK(dict(self._key(header.get("kid"), algorithm, trust)), algorithm)
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=trust.issuer,
            audience=trust.audience,
            # Times are compared above, with our clock.
            options={
                "require": ["iss", "aud", "exp", "iat"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return claims

    def _key(self, kid: Any, algorithm: str, trust: Trust) -> Jwk:
        if trust.jwks:
            found = _fitting(trust.jwks, kid, algorithm)
        else:
            found = _fitting(_keys(self._documents.get(trust.jwks_url)), kid, algorithm)
            if not found:
                fresh = self._documents.get(trust.jwks_url, fresh=True)
                found = _fitting(_keys(fresh), kid, algorithm)
        if len(found) != 1:
            raise ValueError("the key is unknown, or not the only one")
        return found[0]


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("a time is no number")
    return float(value)


def _keys(document: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = document.get("keys")
    return tuple(keys) if isinstance(keys, list) else ()


def _fitting(keys: tuple[Any, ...], kid: Any, algorithm: str) -> list[Jwk]:
    """The keys that a token with this header may have been signed with."""
    kind = {"R": "RSA", "P": "RSA"}.get(algorithm[0]) or ("OKP" if algorithm == "EdDSA" else "EC")
    return [
        key
        for key in keys
        if isinstance(key, dict)
        and key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
