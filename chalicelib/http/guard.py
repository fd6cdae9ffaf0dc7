"""Who is asking, with what, and not too often."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_limits as limits
from chalicelib.errors import ClientTooOldError, UnauthorizedError
from chalicelib.logic.limits import network
from chalicelib.logic.tokens import Identity


def authenticate(headers: Mapping[str, str]) -> Identity:
    """Reads ``Authorization: Bearer`` and verifies the token and its session.

    Raises:
        UnauthorizedError: There is none, or it is not valid any more.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("expected the header Authorization: Bearer <access_token>")
    return accounts.authenticator().authenticate(token.strip())


def check_version(headers: Mapping[str, str]) -> None:
    """Reads ``X-Client-Version``; a client that says nothing passes.

    Raises:
        ClientTooOldError: It must be updated.
    """
    policy = limits.http_policy()
    if policy.is_too_old(headers.get("x-client-version")):
        minimum = policy.minimum_client_version
        raise ClientTooOldError(f"expected client version {minimum} or later")


def limit(method: str, path: str, *, user_id: str | None, address: str) -> None:
    """Takes a permit: the user's, or on an open route the address's.

    Raises:
        RateLimitedError: There is none left.
    """
    route = f"{method} {path}"
    if user_id is None:
        limits.limiter().take(network(address), route, "open")
    else:
        limits.limiter().take(user_id, route, "read" if method == "GET" else "write")
