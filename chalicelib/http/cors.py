"""Pages of other origins: https://fetch.spec.whatwg.org/#http-cors-protocol.

No cookie is ever used, so credentials are never allowed, and an origin is only ever answered by
its name. Which ones may call is the policy ``policy/http``; by default none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib import bootstrap_limits as limits

_ASKED_FOR = "access-control-request-method"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Client-Version"
_MAX_AGE_SECONDS = 600


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """What every answer to this request says; ``given`` are its headers, in lower case."""
    origins = limits.http_policy().cors_origins
    if not origins:
        return {}
    origin = given.get("origin")
    if origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Retry-After",
    }


def is_preflight(method: str, given: Mapping[str, str]) -> bool:
    """Whether a browser asks if a page of an origin that may call may make a request."""
    origins = limits.http_policy().cors_origins
    return method == "OPTIONS" and _ASKED_FOR in given and given.get("origin") in origins


def preflight(methods: Iterable[str]) -> dict[str, Any]:
    """The answer to one, for a path that takes these methods."""
    allowed = {
        "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": str(_MAX_AGE_SECONDS),
    }
    return {"statusCode": 204, "headers": allowed, "multiValueHeaders": {}, "body": ""}
