"""The event (version 1.0) that API Gateway's REST APIs hand to Lambda."""

from __future__ import annotations

import base64
import time
import uuid
import zlib
from typing import Any

from localstack.emulator.events import (
    header_maps,
    new_id,
    query_parameters,
    request_time,
    trace_header,
)
from localstack.emulator.httpserver import Request
from localstack.emulator.template import RestApi, RestRoute

# What is null unless the caller signed the request, or came through Cognito.
_NO_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)
_HOP_HEADERS = ("connection", "keep-alive", "transfer-encoding", "upgrade")


class RestEvents:
    """Builds the events of one REST API."""

    def __init__(self, api: RestApi, account: str) -> None:
        self._api = api
        self._account = account

    def build(
        self, request: Request, route: RestRoute, parameters: dict[str, str]
    ) -> dict[str, Any]:
        """The event of a request; path and path parameters stay percent-encoded, as on AWS."""
        one, many = query_parameters(request.query)
        body, encoded = _body(request.body)
        return {
            "version": "1.0",
            "resource": route.path,
            "path": request.path,
            "httpMethod": request.method,
            **header_maps(_headers(request)),
            "queryStringParameters": one or None,
            "multiValueQueryStringParameters": many or None,
            "pathParameters": parameters or None,
            "stageVariables": self._api.stage_variables or None,
            "requestContext": self._context(request, route),
            "body": body,
            "isBase64Encoded": encoded,
        }

    def _context(self, request: Request, route: RestRoute) -> dict[str, Any]:
        now = time.time()
        host = request.header("host") or ""
        identity: dict[str, str | None] = dict.fromkeys(_NO_IDENTITY)
        identity["sourceIp"] = request.peer
        identity["userAgent"] = request.header("user-agent")
        return {
            "accountId": self._account,
            "apiId": self._api.id,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": new_id(),
            "httpMethod": request.method,
            "identity": identity,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTime": request_time(now),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": f"{zlib.crc32(route.path.encode()) & 0xFFFFFF:06x}",
            "resourcePath": route.path,
            "stage": self._api.stage,
        }


def _headers(request: Request) -> list[tuple[str, str]]:
    kept = [pair for pair in request.headers if pair[0].lower() not in _HOP_HEADERS]
    port = (request.header("host") or "").rpartition(":")[2]
    return [
        *kept,
        ("X-Amzn-Trace-Id", request.header("x-amzn-trace-id") or trace_header()),
        ("X-Forwarded-For", request.peer),
        ("X-Forwarded-Port", port if port.isdecimal() else "80"),
        ("X-Forwarded-Proto", "http"),
    ]


def _body(body: bytes) -> tuple[str | None, bool]:
    """Text as it is, anything else in base64, as binaryMediaTypes would have it."""
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
