"""WebSocket authorizer: who may connect, and as whom; the token is in the header or the query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import UnauthorizedError
from functions._entry import entry


@entry
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Allows the connection; the only text that API Gateway answers with 401 is this one."""
    try:
        who = accounts.authenticator().authenticate(_token(event))
    except UnauthorizedError as error:
        raise Exception("Unauthorized") from error  # noqa: TRY002  API Gateway's own convention
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": who.user_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "user_id": who.user_id,
            "device_id": who.device_id,
            "session_id": who.session_id,
            "roles": ",".join(who.roles),
            "expires_at": who.expires_at,
        },
    }


def _token(event: Mapping[str, Any]) -> str:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    return str((event.get("queryStringParameters") or {}).get("token") or "")
