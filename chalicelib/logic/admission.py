"""The documents `policy/limits` and `policy/http`: how much, from where, with which client."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chalicelib.logic.limits import Rate

logger = logging.getLogger(__name__)

T = TypeVar("T")

# By class, for users and deployments of ordinary size; a route of its own name goes first.
# docs/operations.md explains each.
DEFAULT_RATES: Mapping[str, Rate | None] = {
    "read": Rate(limit=1200, seconds=60, lease=60),
    "write": Rate(limit=600, seconds=60, lease=30),
    "open": Rate(limit=600, seconds=60, lease=30),
    "account": Rate(limit=100, seconds=900),
    "frame": Rate(limit=1200, seconds=60, lease=60, free=60),
    "message": Rate(limit=3000, seconds=60, lease=150, free=150),
    "POST /v1/auth/register": Rate(limit=100, seconds=3600),
    "POST /v1/auth/login": Rate(limit=60, seconds=60),
    "POST /v1/auth/password-reset": Rate(limit=20, seconds=3600),
    "password-reset": Rate(limit=5, seconds=3600),
    "GET /v1/messages": Rate(limit=120, seconds=60, lease=6),  # search: 256 read units each
    "frame send": Rate(limit=600, seconds=60, lease=30, free=30),
}
_ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /v1/\S+|frame [a-z]+")
_LEASE_SHARE = 20  # by default a lease is this part of the limit
_MAX_SECONDS = 24 * 3600
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """Which web pages may call the REST API from another origin, and how old a client may be."""

    cors_origins: frozenset[str] = frozenset()
    minimum_client_version: str = "0"

    def is_too_old(self, version: str | None) -> bool:
        """Whether a client that says its version must be updated; silence is no version."""
        return version is not None and _numbers(version) < _numbers(self.minimum_client_version)


class Followed(Generic[T]):
    """A document that may change at any time; of a refused one the last good value stays.

    Args:
        read: Reads its text; None where there is none.
        parse: Makes the value, or raises ValueError.
        default: The value without a document.
    """

    def __init__(
        self, read: Callable[[], str | None], parse: Callable[[str], T], default: T
    ) -> None:
        self._read = read
        self._parse = parse
        self._default = default
        self._value = default
        self._text: str | None = None

    def __call__(self) -> T:
        """The value as it is now."""
        text = self._read()
        if text != self._text:
            self._text = text
            try:
                self._value = self._default if text is None else self._parse(text)
            except ValueError as error:
                fields = {"parse": self._parse.__name__, "error": str(error)}
                logger.error("policy refused: the last good one applies", extra=fields)
        return self._value


def parse_limits(text: str) -> Mapping[str, Rate | None]:
    """The rates by name: the document's, and the default where it says nothing.

    Raises:
        ValueError: Something in it is wrong.
    """
    rates = dict(DEFAULT_RATES)
    for name, value in _object(text).items():
        if name not in DEFAULT_RATES and not _ROUTE.fullmatch(name):
            raise ValueError(f"{name}: expected {', '.join(DEFAULT_RATES)} or another route")
        rates[name] = None if value is None else _rate(name, value)
    return rates


def parse_http(text: str) -> HttpPolicy:
    """The policy.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = _object(text)
    if unknown := document.keys() - {"cors_origins", "minimum_client_version"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    origins = document.get("cors_origins", [])
    if not isinstance(origins, list) or not all(map(_is_origin, origins)):
        raise ValueError("cors_origins: expected a list of origins such as https://chat.example")
    version = document.get("minimum_client_version", "0")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ValueError("minimum_client_version: expected numbers such as 1.2.0")
    return HttpPolicy(cors_origins=frozenset(origins), minimum_client_version=version)


def _rate(name: str, value: Any) -> Rate:
    if not isinstance(value, dict) or not {"limit", "seconds"} <= value.keys():
        raise ValueError(f"{name}: expected limit and seconds, or null for no limit")
    if unknown := value.keys() - {"limit", "seconds", "lease"}:
        raise ValueError(f"{name}: unknown: {', '.join(sorted(unknown))}")
    whole = {key: one for key, one in value.items() if type(one) is int and one > 0}
    if whole != value:
        raise ValueError(f"{name}: expected whole numbers above 0")
    lease = value.get("lease", max(1, value["limit"] // _LEASE_SHARE))
    # A write for each message would cost more than the message: frames ask late.
    is_frame = name == "message" or name.startswith("frame")
    free = lease if is_frame and lease > 1 else 0
    rate = Rate(limit=value["limit"], seconds=value["seconds"], lease=lease, free=free)
    if rate.seconds > _MAX_SECONDS or rate.lease > rate.limit:
        raise ValueError(f"{name}: expected seconds up to {_MAX_SECONDS}, a lease up to the limit")
    return rate


def _object(text: str) -> dict[str, Any]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    return document


def _is_origin(value: object) -> bool:
    return isinstance(value, str) and _ORIGIN.fullmatch(value) is not None


def _numbers(version: str) -> list[int]:
    """What stands before a suffix, without zeros at the end: 1.2.0-rc1 is 1.2."""
    found = _VERSION.match(version)
    numbers = [int(one) for one in found.group().split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers
