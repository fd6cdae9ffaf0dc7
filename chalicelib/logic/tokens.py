"""Access tokens: signed in one place, verified wherever a request or connection comes in."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from chalicelib.errors import TokenExpiredError, UnauthorizedError, UnavailableError

ALGORITHM = "ES256"
KEYS_MAX_AGE_SECONDS = 300.0
_REREAD_SECONDS = 10.0  # forged key ids must not make one call to Parameter Store each
BOT_PREFIX = "lb_"
_CLAIMS = ("iss", "sub", "did", "sid", "roles", "iat", "exp", "typ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who is asking, as an access token says it."""

    user_id: str
    device_id: str
    session_id: str
    roles: tuple[str, ...] = ()
    expires_at: int = 0


class Sessions(Protocol):
    """Whether a device's session still stands, read strongly."""

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool: ...


class TokenSigner:
    """Issues access tokens.

    Args:
        key: The signing key document, ``{"kid", "pem"}``.
        issuer: The ``iss`` of the tokens.
        clock: Unix seconds.
    """

    def __init__(
        self, *, key: Callable[[], str | None], issuer: str, clock: Callable[[], float]
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._loaded: tuple[str, str, Any] = ("", "", None)

    def sign(self, identity: Identity, *, seconds: int) -> str:
        """A token for ``identity`` that is good for so many seconds."""
        kid, key = self._load()
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "sub": identity.user_id,
            "did": identity.device_id,
            "sid": identity.session_id,
            "roles": list(identity.roles),
            "iat": now,
            "exp": now + seconds,
            "typ": "access",
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})

    def _load(self) -> tuple[str, Any]:
        text = self._key()
        if text is None:
            raise UnavailableError("there is no signing key yet")
        if text != self._loaded[0]:
            document = json.loads(text)
            key = jwt.get_algorithm_by_name(ALGORITHM).prepare_key(document["pem"])
            self._loaded = (text, document["kid"], key)
        return self._loaded[1:]


class TokenVerifier:
    """Reads access tokens, with the public keys that are valid now.

    Args:
        jwks: The JSON Web Key Set, at most so many seconds old.
        issuer: The ``iss`` that is required.
        clock: Unix seconds.
    """

    def __init__(
        self, *, jwks: Callable[[float], str | None], issuer: str, clock: Callable[[], float]
    ) -> None:
        self._jwks = jwks
        self.issuer = issuer
        self._clock = clock
        self._text: str | None = None
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._reread_at = float("-inf")

    def verify(self, token: str) -> Identity:
        """The identity in a token.

        Raises:
            UnauthorizedError: It is none of ours.
            TokenExpiredError: It was.
        """
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                # The time is compared below, with our clock.
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False},
            )
            identity = _identity(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as error:
            raise UnauthorizedError("the access token is not valid") from error
        if identity.expires_at <= self._clock():
            raise TokenExpiredError("the access token has expired: refresh it")
        return identity

    def _key(self, kid: Any) -> jwt.PyJWK:
        self._read(KEYS_MAX_AGE_SECONDS)
        if kid not in self._keys and self._clock() - self._reread_at >= _REREAD_SECONDS:
            self._reread_at = self._clock()
            self._read(0.0)
        if kid not in self._keys:
            raise UnauthorizedError("the access token was signed with an unknown key")
        return self._keys[kid]

    def _read(self, max_age_seconds: float) -> None:
        text = self._jwks(max_age_seconds)
        if text != self._text:
            keys = json.loads(text)["keys"] if text else ()
            self._keys = {key["kid"]: jwt.PyJWK(key, ALGORITHM) for key in keys}
            self._text = text


class Outside(Protocol):
    """Establishes who is asking with the token of another issuer."""

    def authenticate(self, token: str, issuer: str) -> Identity: ...


class Bots(Protocol):
    """Establishes which bot is asking."""

    def authenticate(self, token: str) -> Identity: ...


class Authenticator:
    """Establishes who is asking: a valid token of a session that still stands.

    Args:
        verifier: Reads our own tokens.
        sessions: Whether their sessions stand.
        outside: Takes the tokens that say to be of another issuer.
        bots: Takes the tokens of bots.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        sessions: Sessions,
        outside: Outside | None = None,
        bots: Bots | None = None,
    ) -> None:
        self._verifier = verifier
        self._sessions = sessions
        self._outside = outside
        self._bots = bots

    def authenticate(self, token: str) -> Identity:
        """The identity in a token whose session was not revoked.

        Raises:
            UnauthorizedError: The token is not valid, or its session is over.
        """
        if self._bots and token.startswith(BOT_PREFIX):
            return self._bots.authenticate(token)
        issuer = _claimed_issuer(token) if self._outside else ""
        if self._outside and issuer not in ("", self._verifier.issuer):
            return self._outside.authenticate(token, issuer)
        identity = self._verifier.verify(token)
        if not self._sessions.stands(identity.user_id, identity.device_id, identity.session_id):
            raise UnauthorizedError("the session is over: log in again")
        return identity


def _claimed_issuer(token: str) -> str:
    """Whose a token says to be, before anything of it is verified; nothing where it does not."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        issuer = claims["iss"]
    except (LookupError, ValueError, TypeError, RecursionError):
        return ""
    return issuer if isinstance(issuer, str) else ""


def _identity(claims: Mapping[str, Any]) -> Identity:
    if claims["typ"] != "access":
        raise ValueError("not an access token")
    return Identity(
        user_id=claims["sub"],
        device_id=claims["did"],
        session_id=claims["sid"],
        roles=tuple(claims["roles"]),
        expires_at=int(claims["exp"]),
    )
