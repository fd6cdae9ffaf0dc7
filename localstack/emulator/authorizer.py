"""What a REQUEST authorizer's answer means.

Source: docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth
and api-gateway-lambda-authorizer-output.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from localstack.emulator.handshake import RefusedError
from localstack.emulator.invocation import Invocation

_ACTION = "execute-api:Invoke"
_MAX_RESULT_BYTES = 8 * 1024  # API Gateway quota


def has_identity(event: Mapping[str, Any], sources: Sequence[str]) -> bool:
    """Whether every identity source (``route.request.querystring.token``) is in the request."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    query = event["queryStringParameters"]
    for source in sources:
        kind, _, name = source.removeprefix("route.request.").partition(".")
        if not (query.get(name) if kind == "querystring" else headers.get(name.lower())):
            return False
    return True


def context_of(result: Invocation | None, arn: str) -> dict[str, Any]:
    """What the authorizer adds to every later event; ``result`` None when it did not answer.

    Raises:
        RefusedError: 401 when it raised "Unauthorized", 403 when it does not allow, else 500.
    """
    if result is None or len(result.payload) > _MAX_RESULT_BYTES:
        raise RefusedError(500)
    try:
        answer = json.loads(result.payload)
    except ValueError:
        raise RefusedError(500) from None
    if not isinstance(answer, dict):
        raise RefusedError(500)
    if result.error is not None:
        raise RefusedError(401 if answer.get("errorMessage") == "Unauthorized" else 500)
    try:
        allowed = _allows(answer["policyDocument"], arn)
        context = {key: _text(value) for key, value in (answer.get("context") or {}).items()}
        principal = str(answer["principalId"])
    except (KeyError, TypeError, AttributeError):
        raise RefusedError(500) from None
    if not allowed:
        raise RefusedError(403)
    return {"principalId": principal, **context}


def _allows(policy: Mapping[str, Any], arn: str) -> bool:
    effects = {one["Effect"] for one in _list(policy["Statement"]) if _applies(one, arn)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], arn: str) -> bool:
    actions, resources = _list(statement["Action"]), _list(statement["Resource"])
    return any(_matches(one, _ACTION, re.IGNORECASE) for one in actions) and any(
        _matches(one, arn) for one in resources
    )


def _matches(pattern: str, text: str, flags: int = 0) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, flags | re.DOTALL) is not None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """Values of the context are strings, numbers or booleans, and arrive as strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise TypeError(f"{type(value).__name__} in the context")
    return str(value)
