"""The management API: ``@connections``.

Shapes: botocore's model of apigatewaymanagementapi; the empty 410 as captured in public issues.
"""

from __future__ import annotations

import json
import re
import time
from urllib.parse import unquote

from localstack.emulator.gateway import Gateway
from localstack.emulator.httpserver import Request, Response
from localstack.emulator.websocket import MAX_MESSAGE_BYTES, Connection

_JSON = ("content-type", "application/json")
_ID = re.compile(r"[A-Za-z0-9_+/-]{15}=")
_OK = Response(200)
_GONE = Response(410, b"", (("x-amzn-ErrorType", "GoneException"),))
_ALGORITHM = "AWS4-HMAC-SHA256 "


class ConnectionsApi:
    """Posts to connections, describes and closes them.

    Requests must be signed with Signature Version 4 for execute-api; that they are is looked at,
    the signature itself is not, for there are no secrets here to check it with.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._prefix = f"/{gateway.api.stage}/@connections/"

    def handle(self, request: Request) -> Response:
        """Answers one request."""
        path = unquote(request.path)
        if not path.startswith(self._prefix):
            return _error(403, "ForbiddenException", "Forbidden")
        if not _is_signed(request):
            return _error(403, "ForbiddenException", "Missing Authentication Token")
        if not self._gateway.requests.take():
            return _error(429, "LimitExceededException", "Too Many Requests")
        connection_id = path[len(self._prefix) :]
        connection = self._gateway.connections.get(connection_id)
        if connection is not None and connection.is_open:
            return _act(request, connection)
        if not _ID.fullmatch(connection_id):
            return _error(400, "BadRequestException", f"Invalid connectionId: {connection_id}")
        return _GONE


def _is_signed(request: Request) -> bool:
    given = request.header("authorization") or ""
    return given.startswith(_ALGORITHM) and "/execute-api/aws4_request" in given


def _act(request: Request, connection: Connection) -> Response:
    if request.method == "POST":
        return _post(connection, request.body)
    if request.method == "GET":
        return _describe(connection)
    if request.method == "DELETE":
        connection.close(1000, "Connection Closed Normally")  # captured: boto/boto3#3789
        return Response(204)
    return _error(403, "ForbiddenException", "Missing Authentication Token")


def _post(connection: Connection, body: bytes) -> Response:
    if len(body) > MAX_MESSAGE_BYTES:
        return _error(413, "PayloadTooLargeException", "Message too long")
    if connection.is_slow:
        return _error(429, "LimitExceededException", "The client does not read")
    connection.send(body)
    return _OK


def _describe(connection: Connection) -> Response:
    idle_seconds = time.monotonic() - connection.last_active
    document = {
        "connectedAt": _iso(connection.caller.connected_at),
        "identity": connection.caller.identity(),
        "lastActiveAt": _iso(time.time() - idle_seconds),
    }
    return Response(200, json.dumps(document).encode(), (_JSON,))


def _iso(moment: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment * 1000) % 1000:03d}Z"


def _error(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"message": message}).encode()
    return Response(status, body, (_JSON, ("x-amzn-ErrorType", kind)))
