"""Documents of other servers, kept for a while: discovery documents and key sets of issuers."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chalicelib.errors import UnavailableError

MAX_AGE_SECONDS = 600.0
_AGAIN_SECONDS = 10.0  # forged key ids, or a server that is away, must not cost a call each

Document = Mapping[str, Any]
Fetch = Callable[[str], tuple[int, Document]]


@dataclass(slots=True)
class _Copy:
    document: Document | None = None
    read_at: float = float("-inf")
    tried_at: float = float("-inf")


class RemoteDocuments:
    """Reads documents by their addresses; the last good copy serves while their server is away.

    Args:
        fetch: Gets one: status and JSON object.
        clock: Unix seconds.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._copies: dict[str, _Copy] = {}

    def get(self, url: str, *, fresh: bool = False) -> Document:
        """The document at an address.

        Args:
            url: The address; the caller has checked it.
            fresh: Whether a copy must be at most some seconds old.

        Raises:
            UnavailableError: It was never read, and cannot be read now.
        """
        copy, now = self._copies.setdefault(url, _Copy()), self._clock()
        is_due = now - copy.read_at >= (_AGAIN_SECONDS if fresh else MAX_AGE_SECONDS)
        if is_due and now - copy.tried_at >= _AGAIN_SECONDS:
            copy.tried_at = now
            try:
                copy.document, copy.read_at = self._read(url), now
            except UnavailableError:
                if copy.document is None:
                    raise
        if copy.document is None:
            raise UnavailableError(f"{url} cannot be read", retry_after=_AGAIN_SECONDS)
        return copy.document

    def _read(self, url: str) -> Document:
        status, document = self._fetch(url)
        if status != 200 or not document:
            raise UnavailableError(f"{url} answered {status}")
        return document


def is_trustworthy(url: object, *, beside: str = "") -> bool:
    """Whether an address may be called: https, or http on this machine.

    Args:
        url: The address.
        beside: Where it was found; only what was found on this machine may lead to it.
    """
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isascii():
        return False
    if any(one.isspace() or not one.isprintable() for one in url):
        return False
    may_be_here = not beside or _is_loopback(urlsplit(beside).hostname or "")
    if _is_loopback(host):
        return parts.scheme in ("http", "https") and may_be_here
    return parts.scheme == "https"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
