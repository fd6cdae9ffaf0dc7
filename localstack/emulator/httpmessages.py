"""Requests and responses of HTTP/1.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """A request as it came; ``target`` is path and query, ``headers`` in their order."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: str

    @property
    def path(self) -> str:
        """The target up to the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The first header with this name (in lower case)."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None


@dataclass(slots=True)
class Response:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()

    def encode(self, *, keep_alive: bool = True, head: bool = False) -> bytes:
        """The bytes on the wire; a HEAD request gets everything but the body."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}"]
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        if not keep_alive:
            lines.append("connection: close")
        if self.status >= 200 and self.status != 204:
            lines.append(f"content-length: {len(self.body)}")
        text = "\r\n".join(lines) + "\r\n\r\n"
        return text.encode("latin-1", "replace") + (b"" if head else self.body)
