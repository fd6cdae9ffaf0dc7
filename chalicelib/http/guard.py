"""Who is asking, with what, and not too often."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_identity as identity
from chalicelib import bootstrap_limits as limits
from chalicelib.errors import ClientTooOldError, ForbiddenError, UnauthorizedError
from chalicelib.http.schema import Schema, string
from chalicelib.logic import provisioning_keys
from chalicelib.logic import reports as moderators
from chalicelib.logic.limits import network
from chalicelib.logic.tokens import Identity

_ABOVE = {moderators.ROLE: ("admin",)}
VERSION_HEADER = "X-Client-Version"
VERSION: Schema = string(
    description="Numbers with dots; below `minimum_client_version` the client must be updated."
)


def authenticate(headers: Mapping[str, str], role: str) -> Identity:
    """Who is asking, and has the role that a route asks for; most routes ask for none.

    Where the role is that of provisioners, a key of theirs is taken too; nowhere else.

    Raises:
        UnauthorizedError: There is no token or key, or it is not valid any more.
        ForbiddenError: Who is asking has not this role.
    """
    caller = _identity(headers, role)
    if role and {role, *_ABOVE.get(role, ())}.isdisjoint(caller.roles):
        raise ForbiddenError(f"this needs the role {role}")
    return caller


def check_version(headers: Mapping[str, str]) -> None:
    """Reads the header; a client that says nothing passes.

    Raises:
        ClientTooOldError: It must be updated.
    """
    policy = limits.http_policy()
    if policy.is_too_old(headers.get(VERSION_HEADER.lower())):
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


def _identity(headers: Mapping[str, str], role: str) -> Identity:
    """Reads ``Authorization: Bearer`` and verifies the token and its session."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("expected the header Authorization: Bearer <access_token>")
    if role == provisioning_keys.ROLE and token.strip().startswith(provisioning_keys.PREFIX):
        return identity.provisioning_keys().authenticate(token.strip())
    return accounts.authenticator().authenticate(token.strip())
