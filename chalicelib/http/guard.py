"""Who is asking."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import UnauthorizedError
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
