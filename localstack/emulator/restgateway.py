"""API Gateway's REST API in front of Lambda, proxy integration (event version 1.0).

The stage is not part of the path, as behind a custom domain. Shapes:
docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
import uuid
from typing import Any
from urllib.parse import unquote

from localstack.emulator.events import header_maps, query_parameters
from localstack.emulator.gateway import Invoker
from localstack.emulator.httpserver import Request, Response
from localstack.emulator.runtime import ThrottledError
from localstack.emulator.template import RestApi, RestRoute

MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway quota: payload of a REST API
_TIMEOUT_SECONDS = 29.0  # API Gateway quota: integration timeout
_JSON = (("content-type", "application/json"),)


class RestGateway:
    """Serves one REST API."""

    def __init__(self, api: RestApi, invoker: Invoker, *, account: str = "000000000000") -> None:
        self._api = api
        self._invoker = invoker
        self._account = account
        # A literal path goes before one with parameters, those before a greedy one.
        order = sorted(api.routes, key=lambda route: ("+}" in route.path, "{" in route.path))
        self._routes = [(_pattern(route.path), route) for route in order]

    def match(self, request: Request) -> tuple[RestRoute, dict[str, str]] | None:
        """The route of a request and its path parameters."""
        for pattern, route in self._routes:
            found = pattern.fullmatch(request.path)
            if found and route.method in ("ANY", request.method):
                return route, {key: unquote(value) for key, value in found.groupdict().items()}
        return None

    async def answer(
        self, request: Request, route: RestRoute, parameters: dict[str, str]
    ) -> Response:
        """Invokes the route's function."""
        if len(request.body) > MAX_BODY_BYTES:
            return Response(413, b'{"message":"Request Too Long"}', _JSON)
        event = json.dumps(self._event(request, route, parameters)).encode()
        try:
            invocation = self._invoker.invoke(route.function, event)
            result = await asyncio.wait_for(invocation, _TIMEOUT_SECONDS)
        except ThrottledError:
            return Response(429, b'{"message":"Too Many Requests"}', _JSON)
        except TimeoutError:
            return Response(504, b'{"message": "Endpoint request timed out"}', _JSON)
        if result.error is None:
            response = _response(result.payload)
            if response is not None:
                return response
        return Response(502, b'{"message": "Internal server error"}', _JSON)

    def _event(
        self, request: Request, route: RestRoute, parameters: dict[str, str]
    ) -> dict[str, Any]:
        one, many = query_parameters(request.query)
        body, encoded = _body(request.body)
        now = time.time()
        return {
            "version": "1.0",
            "resource": route.path,
            "path": unquote(request.path),
            "httpMethod": request.method,
            **header_maps(request),
            "queryStringParameters": one or None,
            "multiValueQueryStringParameters": many or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "accountId": self._account,
                "apiId": self._api.id,
                "domainName": request.header("host") or "",
                "extendedRequestId": uuid.uuid4().hex[:16],
                "httpMethod": request.method,
                "identity": {
                    "sourceIp": request.peer,
                    "userAgent": request.header("user-agent"),
                },
                "path": unquote(request.path),
                "protocol": "HTTP/1.1",
                "requestId": str(uuid.uuid4()),
                "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
                "requestTimeEpoch": int(now * 1000),
                "resourceId": "local",
                "resourcePath": route.path,
                "stage": self._api.stage,
            },
            "body": body,
            "isBase64Encoded": encoded,
        }


def _pattern(path: str) -> re.Pattern[str]:
    parts = []
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}+")
            parts.append(f"(?P<{name}>{'.+' if part.endswith('+}') else '[^/]+'})")
        else:
            parts.append(re.escape(part))
    return re.compile("/".join(parts))


def _body(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _response(payload: bytes) -> Response | None:
    """The function's answer, or None when it is malformed."""
    try:
        answer = json.loads(payload)
        body = answer.get("body") or ""
        data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        headers = [(str(key), str(value)) for key, value in (answer.get("headers") or {}).items()]
        for key, values in (answer.get("multiValueHeaders") or {}).items():
            headers = [pair for pair in headers if pair[0].lower() != key.lower()]
            headers.extend((str(key), str(value)) for value in values)
        if any(set("\r\n") & set(key + value) for key, value in headers):
            return None
        if not any(key.lower() == "content-type" for key, _ in headers):
            headers.append(("content-type", "application/json"))
        kept = [pair for pair in headers if pair[0].lower() != "content-length"]
        return Response(int(answer["statusCode"]), data, kept)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
