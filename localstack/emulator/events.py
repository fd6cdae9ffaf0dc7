"""The events that API Gateway's WebSocket APIs hand to Lambda.

Shapes: docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-*, and real
events captured in public issues (``$disconnect``).
"""

from __future__ import annotations

import base64
import functools
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from localstack.emulator.httpserver import Request
from localstack.emulator.template import WebSocketApi

_ID_BYTES = 11  # real ids: 11 bytes in base64, 15 characters and "="
_HOP_HEADERS = ("connection", "upgrade")  # they are for the gateway, not for the function


def new_id() -> str:
    """A connection or request id like API Gateway's; it must be URL-encoded in a path."""
    return base64.urlsafe_b64encode(os.urandom(_ID_BYTES)).decode()


def trace_header() -> str:
    """A value for ``X-Amzn-Trace-Id``."""
    return f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()}"


def request_time(now: float) -> str:
    """A moment in the format of access logs, as events have it."""
    return _request_time(int(now))


@functools.lru_cache(maxsize=2)
def _request_time(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))


def query_parameters(query: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """A query string as API Gateway passes it on: the last value, and all values."""
    many: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        many.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in many.items()}, many


def header_maps(headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``headers`` (the last value) and ``multiValueHeaders`` of an event."""
    many: dict[str, list[str]] = {}
    for name, value in headers:
        many.setdefault(name, []).append(value)
    return {
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
    }


@dataclass(slots=True)
class Caller:
    """Who is connected: all that is kept of a handshake."""

    connection_id: str
    source_ip: str
    user_agent: str | None
    host: str
    connected_at: float
    authorizer: dict[str, Any] | None = None

    @classmethod
    def of(cls, request: Request) -> Caller:
        """The caller of a handshake, under a new id."""
        host = request.header("host") or ""
        agent = request.header("user-agent")
        return cls(new_id(), request.peer, agent, host, time.time())

    def identity(self) -> dict[str, str]:
        """``requestContext.identity``; ``userAgent`` is there only if the client sent one."""
        if self.user_agent is None:
            return {"sourceIp": self.source_ip}
        return {"sourceIp": self.source_ip, "userAgent": self.user_agent}


class EventFactory:
    """Builds the events of one WebSocket API."""

    def __init__(self, api: WebSocketApi, *, port: int, region: str, account: str) -> None:
        self._api = api
        self._port = str(port)
        self.connect_arn = f"arn:aws:execute-api:{region}:{account}:{api.id}/{api.stage}/$connect"

    def authorize(self, caller: Caller, request: Request) -> dict[str, Any]:
        """The REQUEST authorizer's event."""
        one, many = query_parameters(request.query)
        return {
            "type": "REQUEST",
            "methodArn": self.connect_arn,
            **self._handshake_headers(request),
            "queryStringParameters": one,
            "multiValueQueryStringParameters": many,
            "stageVariables": self._api.stage_variables,
            "requestContext": self._context(caller, "$connect", "CONNECT", new_id()),
        }

    def connect(self, caller: Caller, request: Request, request_id: str) -> dict[str, Any]:
        """``$connect``; the query members are absent when there is no query."""
        event: dict[str, Any] = self._handshake_headers(request)
        one, many = query_parameters(request.query)
        if one:
            event["queryStringParameters"] = one
            event["multiValueQueryStringParameters"] = many
        return self._finish(event, self._context(caller, "$connect", "CONNECT", request_id))

    def message(self, caller: Caller, key: str, body: str, request_id: str) -> dict[str, Any]:
        """A frame: no headers, no query."""
        context = self._context(caller, key, "MESSAGE", request_id)
        context["messageId"] = new_id()
        return {**self._finish({}, context), "body": body}

    def disconnect(self, caller: Caller, code: int, reason: str) -> dict[str, Any]:
        """``$disconnect``: four headers, of which three are always empty."""
        context = self._context(caller, "$disconnect", "DISCONNECT", new_id())
        context["disconnectStatusCode"] = code
        context["disconnectReason"] = reason
        empty = (("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", ""))
        return self._finish(header_maps((("Host", caller.host), *empty)), context)

    def _handshake_headers(self, request: Request) -> dict[str, Any]:
        kept = [pair for pair in request.headers if pair[0].lower() not in _HOP_HEADERS]
        added = [
            ("X-Amzn-Trace-Id", trace_header()),
            ("X-Forwarded-For", request.peer),
            ("X-Forwarded-Port", self._port),
            ("X-Forwarded-Proto", "http"),
        ]
        return header_maps(kept + added)

    def _context(
        self, caller: Caller, route_key: str, event_type: str, request_id: str
    ) -> dict[str, Any]:
        now = time.time()
        context: dict[str, Any] = {
            "routeKey": route_key,
            "eventType": event_type,
            "extendedRequestId": request_id,
            "requestTime": request_time(now),
            "messageDirection": "IN",
            "stage": self._api.stage,
            "connectedAt": int(caller.connected_at * 1000),
            "requestTimeEpoch": int(now * 1000),
            "identity": caller.identity(),
            "requestId": request_id,
            "domainName": caller.host,
            "connectionId": caller.connection_id,
            "apiId": self._api.id,
        }
        if caller.authorizer is not None:
            context["authorizer"] = caller.authorizer
        return context

    def _finish(self, event: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        event["requestContext"] = context
        if self._api.stage_variables:
            event["stageVariables"] = self._api.stage_variables
        event["isBase64Encoded"] = False
        return event
