"""Signed requests to one service, several at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from chalicelib.aws.connection import Connection, Request, Response
from chalicelib.aws.signer import Signer

Send = Callable[[], list[Response]]
Guard = Callable[[Send, int], list[Response]]

_WINDOW = 32  # requests in flight at once; each has a connection of its own
_IDLE_SECONDS = 20.0  # AWS closes kept connections after some time; reconnect before it does


class Endpoint:
    """Signed requests to one service at one address.

    Safe to use from several threads. After a thaw of a frozen Lambda a kept connection may be
    dead: a request on a reused connection that breaks before an answer is sent once more.

    Args:
        service: As it stands in signatures.
        url: The address.
        region: Of the service.
        timeout: Seconds for each answer.
        window: How many requests are in flight at once.
        guard: Runs each sending of several requests; it may answer instead, so many times.
    """

    def __init__(
        self,
        service: str,
        url: str,
        region: str,
        *,
        timeout: float = 10.0,
        window: int = _WINDOW,
        guard: Guard | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        default = parts.port is None or parts.port == {"https": 443, "http": 80}[parts.scheme]
        self._authority = self._host if default else f"{self._host}:{self._port}"
        self.path = parts.path.rstrip("/")
        self._signer = Signer(service, region)
        self._timeout = timeout
        self._window = window
        self._guard = guard
        self._idle: deque[Connection] = deque()

    def request(self, request: Request) -> Response:
        """Sends one request and reads its answer."""
        return self.request_all((request,))[0]

    def request_all(self, requests: Sequence[Request]) -> list[Response]:
        """Sends several requests together; answers in their order, status 0 where none came."""
        if self._guard is None:
            return self._send_all(requests)
        return self._guard(lambda: self._send_all(requests), len(requests))

    def _send_all(self, requests: Sequence[Request]) -> list[Response]:
        answers: list[Response] = []
        flying: list[tuple[Request, Connection | None]] = []
        for request in requests:
            if len(flying) == self._window:
                answers.append(self._finish(*flying.pop(0)))
            flying.append((request, self._launch(request, fresh=False)))
        answers.extend(self._finish(*one) for one in flying)
        return answers

    def close(self) -> None:
        """Closes the kept connections."""
        while connection := self._kept():
            connection.close()

    def _launch(self, request: Request, *, fresh: bool) -> Connection | None:
        try:
            connection = self._take(fresh=fresh)
            connection.send(self._encode(request))
        except OSError:
            return None if fresh else self._launch(request, fresh=True)
        return connection

    def _finish(self, request: Request, connection: Connection | None) -> Response:
        if connection is None:
            return Response(0, {}, b"no connection")
        try:
            answer = connection.receive()
        except TimeoutError:
            connection.close()
            return Response(0, {}, b"no answer in time")
        except (OSError, ValueError, IndexError) as error:
            connection.close()
            if connection.fresh:
                return Response(0, {}, str(error).encode())
            return self._finish(request, self._launch(request, fresh=True))
        self._idle.append(connection)
        return answer

    def _take(self, *, fresh: bool) -> Connection:
        while not fresh and (connection := self._kept()):
            if time.monotonic() - connection.used_at < _IDLE_SECONDS:
                return connection
            connection.close()
        return Connection(self._scheme, self._host, self._port, self._timeout)

    def _kept(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _encode(self, request: Request) -> bytes:
        headers = self._signer.headers(
            request.method, self._authority, request.path, request.body, request.headers
        )
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        lines.append(f"content-length: {len(request.body)}\r\n\r\n")
        return "\r\n".join(lines).encode() + request.body
