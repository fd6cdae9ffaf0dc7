"""Log-in with an OpenID provider: authorization code with PKCE.

https://openid.net/specs/openid-connect-core-1_0.html, and RFC 9700 for what to be careful about.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from chalicelib.errors import (
    InvalidFieldError,
    InvalidTokenError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from chalicelib.logic.identities import IdentityService, name_from, nickname_from, subject_of
from chalicelib.logic.oidc_providers import Provider
from chalicelib.logic.outside_tokens import OutsideTokens, Trust
from chalicelib.logic.remote_documents import RemoteDocuments, is_trustworthy

STATE_SECONDS = 600  # to log in at the provider
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class States(Protocol):
    """What is remembered between start and callback; each can be taken once."""

    def put(self, key: str, value: Mapping[str, str], *, expires_at: float) -> None: ...
    def take(self, key: str) -> Mapping[str, str] | None: ...


class Post(Protocol):
    """Posts a form; answers status and JSON object."""

    def __call__(
        self, url: str, form: Mapping[str, str], /, *, authorization: str
    ) -> tuple[int, dict[str, Any]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Where the user goes to log in, and what the provider will send back with them."""

    authorization_url: str
    state: str


class OidcService:
    """Logs users in whom a provider vouches for, and links such identities to accounts."""

    def __init__(
        self,
        *,
        providers: Callable[[], Mapping[str, Provider]],
        secret: Callable[[str], str],
        documents: RemoteDocuments,
        post: Post,
        tokens: OutsideTokens,
        states: States,
        identities: IdentityService,
        clock: Callable[[], float],
        new_secret: Callable[[], str],
    ) -> None:
        self._providers = providers
        self._secret = secret
        self._documents = documents
        self._post = post
        self._tokens = tokens
        self._states = states
        self._identities = identities
        self._clock = clock
        self._new_secret = new_secret

    def start(self, name: str, *, redirect_uri: str | None = None, user_id: str = "") -> Started:
        """Begins a log-in, or with a user id the linking of an identity to that account.

        Raises:
            NotFoundError: There is no such provider.
            InvalidFieldError: It must not send anybody there.
            UnavailableError: It does not answer.
        """
        provider = self._provider(name)
        chosen = redirect_uri or provider.redirect_uris[0]
        if chosen not in provider.redirect_uris:
            raise InvalidFieldError("redirect_uri: expected one that the operator has listed")
        endpoint = self._discovered(provider)["authorization_endpoint"]
        state, nonce, verifier = (self._new_secret() for _ in range(3))
        self._states.put(
            _key(state),
            {
                "provider": name,
                "nonce": nonce,
                "verifier": verifier,
                "redirect_uri": chosen,
                "user_id": user_id,
            },
            expires_at=self._clock() + STATE_SECONDS,
        )
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": chosen,
            "scope": " ".join(provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in endpoint else "?"
        return Started(authorization_url=f"{endpoint}{joint}{urlencode(query)}", state=state)

    def login(self, name: str, *, code: str, state: str) -> str:
        """Finishes a log-in; the first one makes an account.

        Returns:
            The account's id.

        Raises:
            InvalidTokenError: The state is not good.
            UnauthorizedError: The provider does not vouch for them, or the account is unknown.
        """
        provider, claims = self._finish(name, code=code, state=state, user_id="")
        issuer, subject = provider.issuer, subject_of(claims)
        if user_id := self._identities.user_of(issuer, subject):
            return user_id
        if not provider.create_users:
            raise UnauthorizedError("no account is linked to this identity")
        return self._identities.enrol(
            issuer, subject, username=name_from(claims), nickname=nickname_from(claims)
        )

    def link(self, user_id: str, name: str, *, code: str, state: str) -> None:
        """Finishes the linking of an identity to the account that began it.

        Raises:
            InvalidTokenError: The state is not good.
            UnauthorizedError: The provider does not vouch for them.
            ConflictError: The identity belongs to another account.
        """
        provider, claims = self._finish(name, code=code, state=state, user_id=user_id)
        self._identities.link(user_id, provider.issuer, subject_of(claims))

    def _finish(
        self, name: str, *, code: str, state: str, user_id: str
    ) -> tuple[Provider, Mapping[str, Any]]:
        provider = self._provider(name)
        begun = self._states.take(_key(state))
        if begun is None or (begun["provider"], begun["user_id"]) != (name, user_id):
            raise InvalidTokenError("state: it is unknown, was used, or is too old: begin again")
        found = self._discovered(provider)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun["redirect_uri"],
            "code_verifier": begun["verifier"],
        }
        status, answer = self._exchange(provider, found, form)
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise UnauthorizedError("the provider does not take this code")
        trust = Trust(
            issuer=provider.issuer,
            audience=provider.client_id,
            jwks_url=found["jwks_uri"],
            algorithms=provider.algorithms,
        )
        claims = self._tokens.claims(token, trust)
        self._check(claims, provider, begun["nonce"])
        return provider, claims

    def _exchange(
        self, provider: Provider, found: Mapping[str, Any], form: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """With the secret in the header, or in the form where the provider takes only that."""
        url = found["token_endpoint"]
        if not provider.client_secret_parameter:
            return self._post(url, {**form, "client_id": provider.client_id}, authorization="")
        secret = self._secret(provider.client_secret_parameter)
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" not in methods:
            credentials = {"client_id": provider.client_id, "client_secret": secret}
            return self._post(url, {**form, **credentials}, authorization="")
        # RFC 6749, section 2.3.1: each is form-encoded before they are joined.
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
        basic = base64.b64encode(pair.encode()).decode()
        return self._post(url, form, authorization=f"Basic {basic}")

    def _check(self, claims: Mapping[str, Any], provider: Provider, nonce: str) -> None:
        """What an ID token must have beyond any token: OpenID Connect Core, section 3.1.3.7."""
        given = str(claims.get("nonce", ""))
        if not hmac.compare_digest(given.encode(), nonce.encode()):
            raise UnauthorizedError("the issuer's token is for another log-in")
        many = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if many else provider.client_id) != provider.client_id:
            raise UnauthorizedError("the issuer's token is for another client")

    def _discovered(self, provider: Provider) -> Mapping[str, Any]:
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._documents.get(address)
        if found.get("issuer") != provider.issuer:
            raise UnavailableError("the provider's document is of another issuer")
        for name in _ENDPOINTS:
            if not is_trustworthy(found.get(name), beside=provider.issuer):
                raise UnavailableError(f"the provider's {name} is not an https address")
        return found

    def _provider(self, name: str) -> Provider:
        found = self._providers().get(name)
        if found is None:
            raise NotFoundError("there is no such provider")
        return found


def challenge(verifier: str) -> str:
    """RFC 7636, section 4.2: the S256 code challenge."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _key(state: str) -> str:
    return "oidc#" + hashlib.sha256(state.encode()).hexdigest()
