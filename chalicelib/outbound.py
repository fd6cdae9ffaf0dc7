"""Posts to servers whose address somebody entered: bounded, and to checked addresses only.

No redirect is followed and no proxy asked.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

from chalicelib.errors import UnavailableError

TIMEOUT_SECONDS = 5.0  # for all of it, but for looking up the name
MAX_BYTES = 64 * 1024


class _Connection(http.client.HTTPConnection):
    """Goes to an address that was checked, whatever the name leads to by then."""

    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._address = address
        self._tls = tls
        self._until = time.monotonic() + TIMEOUT_SECONDS
        self._open: socket.socket | None = None  # http.client lets go of its own before the end
        if tls is not None:
            self.default_port = 443  # so that the Host header has no port

    def connect(self) -> None:
        raw = self._open = socket.create_connection((self._address, self.port), self._left())
        raw.settimeout(self._left())
        if self._tls is not None:
            raw = self._open = self._tls.wrap_socket(raw, server_hostname=self.host)
        self.sock = raw

    def cut(self) -> None:
        """Ends whatever is under way: a socket's own time-out begins anew with each byte."""
        if self._open is not None:
            with contextlib.suppress(OSError):
                self._open.shutdown(socket.SHUT_RDWR)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left")
        return left


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allows: Callable[[str], bool]
) -> tuple[int, bytes]:
    """Posts a body.

    Args:
        url: Where; the caller has checked its form.
        body: What.
        headers: With what.
        allows: Whether a connection to an IP address may be opened.

    Returns:
        The status and the answer.

    Raises:
        UnavailableError: Nobody answered in time, at length, or at an address that is allowed.
    """
    parts = urlsplit(url)
    host, tls = parts.hostname or "", _tls() if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _Connection(host, port, _address(host, port, allows), tls)
        with _ended_in_time(connection):
            connection.request("POST", target, body, {"User-Agent": "lambchat", **headers})
            answer = connection.getresponse()
            text = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UnavailableError(f"{host} did not answer") from error
    if len(text) > MAX_BYTES:
        raise UnavailableError(f"{host} answered more than {MAX_BYTES} bytes")
    return answer.status, text


def _address(host: str, port: int, allows: Callable[[str], bool]) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(map(allows, addresses)):
        raise UnavailableError(f"{host} is at no address that may be called")
    return addresses[0]


@contextmanager
def _ended_in_time(connection: _Connection) -> Iterator[None]:
    timer = threading.Timer(TIMEOUT_SECONDS, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        connection.close()


@cache
def _tls() -> ssl.SSLContext:
    """Reading the trusted certificates takes 20 ms."""
    return ssl.create_default_context()
