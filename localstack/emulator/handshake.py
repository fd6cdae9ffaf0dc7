"""The opening handshake of RFC 6455, and the statuses that API Gateway refuses it with."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from localstack.emulator.httpserver import Request, Response

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden",
    429: "Too Many Requests",
    500: "Internal server error",
    502: "Internal server error",
}


class RefusedError(Exception):
    """The handshake ends with this status; ``own`` when the gateway says so, not a function."""

    def __init__(self, status: int, *, own: bool = True) -> None:
        super().__init__(status)
        self.status = status
        self.own = own


def accept_key(request: Request) -> str:
    """The value of ``Sec-WebSocket-Accept``.

    Raises:
        RefusedError: The request is no WebSocket handshake.
    """
    key = (request.header("sec-websocket-key") or "").encode("latin-1")
    try:
        valid = len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        valid = False
    if request.method != "GET" or "websocket" not in (request.header("upgrade") or "").lower():
        raise RefusedError(400)
    if not valid or request.header("sec-websocket-version") != "13":
        raise RefusedError(400)
    return base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()


def accepted(key: str, subprotocol: str | None) -> bytes:
    """The 101 answer; no extension is ever agreed on, as on API Gateway."""
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key)]
    if subprotocol:
        headers.append(("Sec-WebSocket-Protocol", subprotocol))
    return Response(101, b"", headers).encode()


def refused(error: RefusedError, connection_id: str, request_id: str) -> bytes:
    """The answer to a refused handshake; of a function's own only the status gets through."""
    message = _MESSAGES.get(error.status, "Bad Request")
    ids = {"connectionId": connection_id, "requestId": request_id}
    body = json.dumps({"message": message, **ids}).encode() if error.own else b""
    headers = [("content-type", "application/json")] if error.own else []
    return Response(error.status, body, headers).encode(keep_alive=False)
