"""A load client that costs little: raw sockets, prebuilt frames, counting instead of parsing."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import urllib.request
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

MESSAGE = b'"seq":'  # once in each message that the server sends
REST_TIMEOUT_SECONDS = 30.0


def rest(url: str, method: str, path: str, body: Any = None, token: str = "") -> Any:
    """One REST call; the parsed answer."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=REST_TIMEOUT_SECONDS) as answer:
        return json.loads(answer.read() or b"{}")


def user(url: str, name: str) -> dict[str, Any]:
    """A new account: id and token."""
    credentials = {"username": name, "password": "a long password"}
    rest(url, "POST", "/v1/auth/register", credentials)
    login = rest(url, "POST", "/v1/auth/login", credentials)
    return {"id": login["user"]["id"], "token": login["access_token"]}


def text_frame(payload: bytes) -> bytes:
    """A client's text frame; a mask of zeros leaves the payload as it is."""
    size = len(payload)
    if size < 126:
        head = bytes((0x81, 0x80 | size))
    elif size < 65536:
        head = bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x81, 0xFF)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class Socket(asyncio.Protocol):
    """One WebSocket connection; `on_frame` gets each text frame's payload."""

    def __init__(self, path: str, host: str) -> None:
        self.on_frame: Callable[[bytes], None] = lambda _payload: None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self._buffer = b""
        self._upgraded = False
        key = base64.b64encode(os.urandom(16)).decode()
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self.lost = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed during the handshake"))

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, found, rest_ = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = buffer
                return
            self._upgraded = True
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.opened.set_exception(ConnectionError(head.decode("latin-1")))
                return
            self.opened.set_result(None)
            buffer = rest_
        self._buffer = self._frames(buffer)

    def _frames(self, buffer: bytes) -> bytes:
        at, end = 0, len(buffer)
        while end - at >= 2:
            size, head = buffer[at + 1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            if end - at < head + size or (head > 2 and end - at < head):
                break
            if buffer[at] & 0x0F in (0, 1):
                self.on_frame(buffer[at + head : at + head + size])
            at += head + size
        return buffer[at:]

    def send(self, frame: bytes) -> None:
        """Sends a frame made by `text_frame`."""
        self._transport.write(frame)

    def close(self) -> None:
        """Cuts the connection."""
        self._transport.abort()


async def connect(websocket_url: str, token: str) -> Socket:
    """An open connection."""
    parts = urlsplit(websocket_url)
    _, socket = await asyncio.get_running_loop().create_connection(
        lambda: Socket(f"{parts.path}?token={token}", parts.netloc), parts.hostname, parts.port
    )
    await asyncio.wait_for(socket.opened, 30)
    return socket
