"""Bring your own users: tokens of issuers that an operator trusts; parameter ``policy/issuers``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.errors import UnauthorizedError
from chalicelib.logic.identities import name_from, nickname_from, subject_of
from chalicelib.logic.outside_tokens import ALGORITHMS, OutsideTokens, Trust
from chalicelib.logic.remote_documents import is_trustworthy
from chalicelib.logic.tokens import Identity
from chalicelib.models import Ban

OUTSIDE_SESSION = "outside"  # no session of ours has this id: theirs are longer
BOT_SESSION = "bot-"  # and the hash of a token: ours have no hyphen in their ids
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MEMBERS = {"issuer", "audience", "jwks_url", "jwks", "algorithms", "user_id_claim", "create_users"}
_PRIVATE = {"d", "p", "q", "k"}  # members that only private and secret keys have


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An issuer whose access tokens are taken.

    Attributes:
        trust: What they must be.
        user_id_claim: Which claim says who the user is.
        create_users: Whether somebody unknown gets an account at their first use.
    """

    trust: Trust
    user_id_claim: str = "sub"
    create_users: bool = False


class Identities(Protocol):
    """The accounts of subjects."""

    def user_of(self, issuer: str, subject: str) -> str | None: ...
    def enrol(self, issuer: str, subject: str, *, username: str, nickname: str) -> str: ...


class Bans(Protocol):
    """The bans that hold, read strongly."""

    def get(self, user_id: str) -> Ban | None: ...


class Sessions(Protocol):
    """Whether a device's session stands."""

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool: ...


class OutsideIssuers:
    """Establishes who is asking with a token that is not ours.

    Such a token has no session here: it is good until it expires, and a ban ends it at once.
    """

    def __init__(
        self,
        *,
        issuers: Callable[[], Mapping[str, TrustedIssuer]],
        tokens: OutsideTokens,
        identities: Identities,
        bans: Bans,
        exists: Callable[[str], bool],
    ) -> None:
        self._issuers = issuers
        self._tokens = tokens
        self._identities = identities
        self._bans = bans
        self._exists = exists

    def authenticate(self, token: str, issuer: str) -> Identity:
        """The identity in a token that says to be of ``issuer``.

        Raises:
            UnauthorizedError: It is not valid, the user is unknown, gone or banned.
        """
        trusted = self._issuers().get(issuer)
        if trusted is None:
            raise UnauthorizedError("the access token is not valid")
        claims = self._tokens.claims(token, trusted.trust)
        user_id = self._user_id(trusted, claims)
        if self._bans.get(user_id):
            raise UnauthorizedError("the account is banned")
        if not self._exists(user_id):
            raise UnauthorizedError("the account is gone")
        device = claims.get("sid")
        return Identity(
            user_id=user_id,
            # The issuer's own session, where it says so.
            device_id=str(device) if _is_device(device) else OUTSIDE_SESSION,
            session_id=OUTSIDE_SESSION,
            expires_at=int(claims["exp"]),
        )

    def _user_id(self, trusted: TrustedIssuer, claims: Mapping[str, Any]) -> str:
        issuer, subject = trusted.trust.issuer, subject_of(claims, trusted.user_id_claim)
        if user_id := self._identities.user_of(issuer, subject):
            return user_id
        if not trusted.create_users:
            raise UnauthorizedError("the user is not known here")
        return self._identities.enrol(
            issuer, subject, username=name_from(claims), nickname=nickname_from(claims)
        )


class BotSessions(Protocol):
    """Whether a connection that was opened with a bot's token may stand."""

    def stands(self, user_id: str, session_id: str) -> bool: ...


class StandingSessions:
    """Whether a connection's session stands: ours, an outside one, which only a ban ends, a bot's.

    Args:
        sessions: Ours.
        bans: The bans.
        bots: Makes what knows the bots' tokens; few environments ever ask.
    """

    def __init__(
        self, sessions: Sessions, bans: Bans, bots: Callable[[], BotSessions] | None = None
    ) -> None:
        self._sessions = sessions
        self._bans = bans
        self._bots = bots

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool:
        """Whether it does, read strongly."""
        if session_id == OUTSIDE_SESSION:
            return self._bans.get(user_id) is None
        if self._bots and session_id.startswith(BOT_SESSION):
            return self._bots().stands(user_id, session_id)
        return self._sessions.stands(user_id, device_id, session_id)


def parse_issuers(text: str) -> Mapping[str, TrustedIssuer]:
    """The issuers by their names.

    Raises:
        ValueError: Something in the document is wrong.
    """
    document = json.loads(text)
    entries = document.get("issuers", []) if isinstance(document, dict) else None
    if not isinstance(entries, list) or document.keys() - {"issuers"}:
        raise ValueError('expected {"issuers": [...]}')
    found = [_issuer(one, f"issuers.{at}") for at, one in enumerate(entries)]
    return {one.trust.issuer: one for one in found}


def _issuer(entry: Any, where: str) -> TrustedIssuer:
    if not isinstance(entry, dict) or entry.keys() - _MEMBERS:
        raise ValueError(f"{where}: expected an object of {', '.join(sorted(_MEMBERS))}")
    for name in ("issuer", "audience"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise ValueError(f"{where}.{name}: expected a text")
    if ("jwks_url" in entry) == ("jwks" in entry):
        raise ValueError(f"{where}: expected either jwks_url or jwks")
    if "jwks_url" in entry and not is_trustworthy(entry["jwks_url"]):
        raise ValueError(f"{where}.jwks_url: expected an https address")
    claim, create = entry.get("user_id_claim", "sub"), entry.get("create_users", False)
    if not isinstance(claim, str) or not isinstance(create, bool):
        wanted = "user_id_claim as text, create_users true or false"
        raise ValueError(f"{where}: expected {wanted}")  # noqa: TRY004
    trust = Trust(
        issuer=entry["issuer"],
        audience=entry["audience"],
        jwks_url=entry.get("jwks_url", ""),
        jwks=_public_keys(entry.get("jwks"), where),
        algorithms=_algorithms(entry.get("algorithms"), where),
    )
    return TrustedIssuer(trust=trust, user_id_claim=claim, create_users=create)


def _public_keys(jwks: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    if jwks is None:
        return ()
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise ValueError(f'{where}.jwks: expected {{"keys": [...]}}')
    if any(key.keys() & _PRIVATE for key in keys):
        raise ValueError(f"{where}.jwks: expected public keys only")
    return tuple(keys)


def _algorithms(given: Any, where: str) -> frozenset[str]:
    if given is None:
        return ALGORITHMS
    if not isinstance(given, list) or not given or set(map(str, given)) - ALGORITHMS:
        raise ValueError(f"{where}.algorithms: expected some of {', '.join(sorted(ALGORITHMS))}")
    return frozenset(given)


def _is_device(value: Any) -> bool:
    return isinstance(value, str) and _DEVICE.fullmatch(value) is not None
