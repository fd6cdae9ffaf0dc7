"""WebSocket authorizer: who may connect, and as whom; the token is in the header or the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_limits as limits
from chalicelib.errors import UnauthorizedError
from functions._entry import entry


@entry
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Allows the connection; the only text that API Gateway answers with 401 is this one."""
    query = event.get("queryStringParameters") or {}
    try:
        who = accounts.authenticator().authenticate(_token(event, query))
    except UnauthorizedError as error:
        raise Exception("Unauthorized") from error  # noqa: TRY002  API Gateway's own convention
    is_too_old = limits.http_policy().is_too_old(query.get("client_version"))
    effect = "Deny" if is_too_old else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": who.user_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {**asdict(who), "roles": ",".join(who.roles)},
    }


def _token(event: Mapping[str, Any], query: Mapping[str, str]) -> str:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    return query.get("token") or ""
