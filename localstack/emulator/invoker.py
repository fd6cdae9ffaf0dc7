"""Invoking functions over the Invoke API, as event sources do."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

_ANSWER_SECONDS = 930.0  # Lambda's longest time-out and some


class InvokeError(Exception):
    """The function failed, or could not be invoked."""


class Invoker:
    """Invokes functions over the Invoke API, on a kept connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._connection: http.client.HTTPConnection | None = None

    def invoke(self, function: str, payload: bytes) -> bytes:
        """The function's answer.

        Raises:
            InvokeError: It failed, or nobody answered.
        """
        path = f"/2015-03-31/functions/{function}/invocations"
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    *self._address, timeout=_ANSWER_SECONDS
                )
            self._connection.request("POST", path, payload)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise InvokeError(f"no answer: {error!r}") from error
        if answer.status != 200 or answer.getheader("x-amz-function-error"):
            raise InvokeError(body[:500].decode(errors="replace"))
        return body

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
