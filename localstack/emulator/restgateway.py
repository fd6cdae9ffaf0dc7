"""API Gateway's REST API in front of Lambda, proxy integration (event version 1.0).

The stage is no part of the path, as behind a custom domain: the API then has the origin of the
static files, as a distribution in front of both gives it. Shapes:
docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import time
import uuid
from typing import Any

from localstack.emulator.httpserver import Request, Response
from localstack.emulator.integration import TIMEOUT_SECONDS, Invoker
from localstack.emulator.quotas import TokenBucket
from localstack.emulator.rest_events import RestEvents
from localstack.emulator.runtime import Log, ThrottledError
from localstack.emulator.template import RestApi, RestRoute

MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway quota: payload of a REST API

logger = logging.getLogger(__name__)


class RestGateway:
    """Serves one REST API.

    Args:
        api: Its routes.
        invoker: Where the functions are.
        account: Part of the events.
        requests: The bucket of requests, when it is shared with other gateways.
        timeout_seconds: How long a function has.
        log: Takes a record of each request; without the query string, as on AWS.
    """

    def __init__(
        self,
        api: RestApi,
        invoker: Invoker,
        *,
        account: str = "000000000000",
        requests: TokenBucket | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        log: Log = lambda _record: None,
    ) -> None:
        self._invoker = invoker
        self._log = log
        self._events = RestEvents(api, account)
        self._responses = api.responses
        self._requests = requests or TokenBucket(None)
        self._timeout_seconds = timeout_seconds
        # A literal path goes before one with parameters, those before a greedy one.
        order = sorted(api.routes, key=lambda route: ("+}" in route.path, "{" in route.path))
        self._routes = [(*_pattern(route.path), route) for route in order]

    async def answer(self, request: Request) -> Response | None:
        """The answer of the route's function; None when no resource has such a path."""
        started = time.perf_counter()
        response = await self._answer(request)
        if response is not None:
            duration_ms = round((time.perf_counter() - started) * 1000, 2)
            what = {"method": request.method, "path": request.path, "status": response.status}
            self._log({"kind": "access", **what, "duration_ms": duration_ms})
        return response

    async def _answer(self, request: Request) -> Response | None:
        known = False
        for pattern, names, route in self._routes:
            found = pattern.fullmatch(request.path)
            if found and route.method in ("ANY", request.method):
                parameters = dict(zip(names, found.groups(), strict=True))
                return await self._invoke(request, route, parameters)
            known = known or found is not None
        if not known:
            return None
        return self._own("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")

    async def _invoke(
        self, request: Request, route: RestRoute, parameters: dict[str, str]
    ) -> Response:
        if len(request.body) > MAX_BODY_BYTES:
            return self._own("REQUEST_TOO_LARGE", 413, "Request Too Long")
        if not self._requests.take():
            return self._own("THROTTLED", 429, "Too Many Requests")
        event = self._events.build(request, route, parameters)
        payload = json.dumps(event, separators=(",", ":")).encode()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                result = await self._invoker.invoke(route.function, payload)
        except ThrottledError:
            return self._own("THROTTLED", 429, "Too Many Requests")
        except TimeoutError:
            return self._own("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
        except Exception:
            logger.exception("invocation failed: %s", route.function)
            return self._own("DEFAULT_5XX", 502, "Internal server error")
        response = _response(result.payload) if result.error is None else None
        return response or self._own("DEFAULT_5XX", 502, "Internal server error")

    def _own(self, kind: str, status: int, text: str) -> Response:
        """The gateway's own answer, as the template has it or as it is without.

        The kinds are in API Gateway's developer guide, supported-gateway-response-types.
        """
        found = self._responses.get(kind)
        if found is None:
            body = json.dumps({"message": text}).encode()
            return Response(status, body, (("content-type", "application/json"),))
        body = found.body.replace("$context.requestId", str(uuid.uuid4())).encode()
        return Response(found.status, body, tuple(found.headers.items()))


def _pattern(path: str) -> tuple[re.Pattern[str], list[str]]:
    """A resource's path as an expression, and the names of its groups."""
    parts, names = [], []
    for part in path.split("/"):
        if part.startswith("{"):
            names.append(part.strip("{}+"))
            parts.append("(.+)" if part.endswith("+}") else "([^/]+)")
        else:
            parts.append(re.escape(part))
    return re.compile("/".join(parts)), names


def _response(payload: bytes) -> Response | None:
    """The function's answer, or None when it is malformed."""
    try:
        answer = json.loads(payload)
        status = int(answer["statusCode"])
        body = answer.get("body") or ""
        data = (
            base64.b64decode(body, validate=True)
            if answer.get("isBase64Encoded")
            else body.encode()
        )
        headers = _headers(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not 200 <= status < 600 or any(set("\r\n") & set(key + value) for key, value in headers):
        return None
    if not any(key.lower() == "content-type" for key, _ in headers):
        headers.append(("content-type", "application/json"))
    return Response(status, data, headers)


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Headers of the answer; those with many values go before those with one."""
    many = answer.get("multiValueHeaders") or {}
    replaced = {key.lower() for key in many} | {"content-length", "transfer-encoding"}
    headers = [
        (str(key), _text(value))
        for key, value in (answer.get("headers") or {}).items()
        if key.lower() not in replaced
    ]
    headers.extend((str(key), _text(value)) for key, values in many.items() for value in values)
    return headers


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
