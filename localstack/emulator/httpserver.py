"""A small HTTP/1.1 server on asyncio and httptools: keep-alive, in order, with an upgrade hook."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import cast

import httptools

from localstack.emulator.httpmessages import Request, Response

__all__ = ["Handler", "HttpProtocol", "Request", "Response", "Upgrade", "serve"]

logger = logging.getLogger(__name__)

_MAX_BODY = 11 * 1024 * 1024
_MAX_HEADERS = 32 * 1024
_MAX_PIPELINED = 64


# A handler that need not wait answers at once: that saves a task for each request.
Handler = Callable[[Request], Awaitable[Response] | Response]
Upgrade = Callable[[Request, asyncio.Transport, "HttpProtocol"], None]


class HttpProtocol(asyncio.Protocol):
    """One connection: requests are handled one after the other.

    Its public methods are called by asyncio and, those with ``on_``, by httptools.

    Attributes:
        leftover: What the client sent behind a request to upgrade.
    """

    def __init__(self, handler: Handler, *, max_body: int, upgrade: Upgrade | None) -> None:
        self.leftover = b""
        self._handler = handler
        self._upgrade = upgrade
        self._max_body = max_body
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[Request | Response, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._upgrading: Request | None = None
        self._refused = False
        self._peer = ""
        self._reset()

    def _reset(self) -> None:
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no such class
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self._switch(data[switch.args[0] :])
        except (httptools.HttpParserError, ValueError):
            self._refuse(400)

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))
        self._size += len(name) + len(value)
        if self._size > _MAX_HEADERS:
            raise ValueError("headers too large")

    def on_headers_complete(self) -> None:
        self._size = 0
        if any(key.lower() == "expect" for key, _ in self._headers) and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._max_body:
            self._body.append(body)

    def on_message_complete(self) -> None:
        request: Request | Response = Request(
            self._parser.get_method().decode(),
            self._target.decode("latin-1"),
            self._headers,
            b"".join(self._body),
            self._peer,
        )
        if self._size > self._max_body:
            request = Response(413)
        keep_alive = self._parser.should_keep_alive()
        wants_upgrade = self._parser.should_upgrade()
        self._reset()
        if wants_upgrade and self._upgrade is not None and isinstance(request, Request):
            self._upgrading = request
        else:
            self._take(request, keep_alive and not wants_upgrade)

    def _switch(self, rest: bytes) -> None:
        """Hands the transport over; reading goes on when its new owner says so."""
        request, transport = self._upgrading, self._transport
        if request is None or transport is None or self._upgrade is None:
            return
        if self._task is not None:
            self._refuse(400)
            return
        transport.pause_reading()
        self.leftover = rest
        self._upgrade(request, transport, self)

    def _take(self, request: Request | Response, keep_alive: bool) -> None:
        if self._task is None:
            answer = self._start(request)
            if isinstance(answer, Response):
                self._write(request, answer, keep_alive)
                return
            self._task = asyncio.get_running_loop().create_task(
                self._serve(request, answer, keep_alive)
            )
            return
        self._queue.append((request, keep_alive))
        if len(self._queue) == _MAX_PIPELINED and self._transport is not None:
            self._transport.pause_reading()

    def _start(self, request: Request | Response) -> Awaitable[Response] | Response:
        if isinstance(request, Response):
            return request
        try:
            return self._handler(request)
        except Exception:
            return _failed(request)

    async def _serve(
        self, request: Request | Response, answer: Awaitable[Response] | Response, keep_alive: bool
    ) -> None:
        while True:
            if not isinstance(answer, Response):
                try:
                    answer = await answer
                except Exception:
                    answer = _failed(request)
            self._write(request, answer, keep_alive)
            if not self._queue or self._transport is None:
                break
            if len(self._queue) == _MAX_PIPELINED:
                self._transport.resume_reading()
            request, keep_alive = self._queue.popleft()
            answer = self._start(request)
        self._task = None

    def _write(self, request: Request | Response, answer: Response, keep_alive: bool) -> None:
        if self._transport is None:
            return
        head = isinstance(request, Request) and request.method == "HEAD"
        self._transport.write(answer.encode(keep_alive=keep_alive, head=head))
        if not keep_alive:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        self._refused = True
        self._take(Response(status), keep_alive=False)


def _failed(request: Request | Response) -> Response:
    if isinstance(request, Request):
        logger.exception("request failed: %s %s", request.method, request.path)
    return Response(500, b"internal error")


async def serve(
    handler: Handler,
    host: str,
    port: int,
    *,
    max_body: int = _MAX_BODY,
    upgrade: Upgrade | None = None,
) -> asyncio.Server:
    """Serves ``handler``; requests to upgrade go to ``upgrade``, which takes the transport over."""
    return await asyncio.get_running_loop().create_server(
        lambda: HttpProtocol(handler, max_body=max_body, upgrade=upgrade),
        host,
        port,
        backlog=2048,
        reuse_address=True,
    )
