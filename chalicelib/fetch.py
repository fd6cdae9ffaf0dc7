"""JSON from servers that an operator configured, such as identity providers.

No redirect is followed and no proxy asked; who calls has checked the address.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalicelib.errors import UnavailableError

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 256 * 1024  # a key set has a few KB


def fetch(
    url: str, form: Mapping[str, str] | None = None, *, authorization: str = ""
) -> tuple[int, dict[str, Any]]:
    """A GET, or with a form a POST.

    Returns:
        The status, below 500, and the JSON object; an empty one where the answer has none.

    Raises:
        UnavailableError: Nobody answered, or with a fault of the server.
    """
    headers = {"Accept": "application/json", "User-Agent": "lambchat"}
    if authorization:
        headers["Authorization"] = authorization
    body = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form)
    parts = urlsplit(url)
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request("GET" if body is None else "POST", target, body, headers)
        answer = connection.getresponse()
        status, text = answer.status, answer.read(MAX_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{parts.hostname} did not answer") from error
    finally:
        connection.close()
    if status >= 500 or len(text) > MAX_BYTES:
        raise UnavailableError(f"{parts.hostname} answered {status}, {len(text)} bytes")
    return status, _object(text)


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=_tls())
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)


@cache
def _tls() -> ssl.SSLContext:
    """Reading the trusted certificates takes 20 ms."""
    return ssl.create_default_context()


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
