"""Lists page by page: ``?limit=`` and an opaque ``?cursor=``."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from chalicelib.errors import InvalidQueryError
from chalicelib.http.schema import JsonObject, Schema, integer, string

LIMIT: Schema = integer(minimum=1, maximum=100, default=50)
CURSOR: Schema = string(
    max_length=1024, format="cursor", description="`next_cursor` of the page before."
)
PAGE = {"limit": LIMIT, "cursor": CURSOR}  # the query parameters of a list
_MARK_BYTES = 6


def page(items: Iterable[JsonObject], scope: str, position: Any = None) -> JsonObject:
    """The body of one page; ``position`` is where the next begins, None at the end."""
    cursor = None if position is None else encode(scope, position)
    return {"items": list(items), "next_cursor": cursor}


def encode(scope: str, position: Any) -> str:
    """A cursor: a JSON value, and a mark by which an altered or foreign cursor is noticed.

    The mark is no signature. A position must be harmless whoever wrote it: it says where to go on
    in a list that the caller may read anyway.
    """
    text = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mark(scope, text) + text).decode().rstrip("=")


def decode(scope: str, cursor: str | None) -> Any:
    """The position in a cursor, None without one.

    Args:
        scope: The same as when it was made: the list, and what it was filtered by.
        cursor: What the client sent.

    Raises:
        InvalidQueryError: The cursor is not from this list.
    """
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise _foreign() from error
    mark, text = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
    if mark != _mark(scope, text):
        raise _foreign()
    return json.loads(text)


def _foreign() -> InvalidQueryError:
    return InvalidQueryError.at("cursor", "expected next_cursor of this list")


def _mark(scope: str, text: bytes) -> bytes:
    return hashlib.blake2b(scope.encode() + b"\0" + text, digest_size=_MARK_BYTES).digest()
