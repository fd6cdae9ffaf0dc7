"""The fields of frames, read one by one; every error names the field and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import InvalidFieldError, TooLargeError

MAX_CONTENT_BYTES = 16 * 1024
MAX_ID_LENGTH = 64


def text_of(field: str, value: Any) -> str:
    """A string that can be stored and shown.

    Raises:
        InvalidFieldError: It is no string, has a NUL, or half a surrogate pair.
    """
    if not isinstance(value, str):
        raise invalid(field, "expected a string")
    if "\0" in value:
        raise invalid(field, "expected text without the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid(field, "expected whole Unicode characters, found half a pair") from error
    return value


def content_of(body: Mapping[str, Any]) -> str:
    """``content``, at most 16 KiB.

    Raises:
        InvalidFieldError: As `text_of`.
        TooLargeError: It is longer.
    """
    content = text_of("content", body.get("content"))
    if len(content.encode()) > MAX_CONTENT_BYTES:
        raise TooLargeError(f"content: expected at most {MAX_CONTENT_BYTES} bytes of UTF-8")
    return content


def id_of(body: Mapping[str, Any], field: str, prefix: str = "") -> str:
    """An id."""
    value = text_of(prefix + field, body.get(field))
    if not 1 <= len(value) <= MAX_ID_LENGTH:
        raise invalid(prefix + field, f"expected 1 to {MAX_ID_LENGTH} characters")
    return value


def number_of(
    body: Mapping[str, Any],
    field: str,
    prefix: str = "",
    *,
    minimum: int = 0,
    maximum: int = 2**53 - 1,
) -> int:
    """A whole number."""
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        upto = "" if maximum == 2**53 - 1 else f" to {maximum}"
        raise invalid(prefix + field, f"expected a whole number from {minimum}{upto}")
    return value


def invalid(field: str, expected: str) -> InvalidFieldError:
    """The error of one field."""
    return InvalidFieldError.at(field, expected)
