"""What a request brings, compared with what its route declares."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from chalice.app import Request

from chalicelib.errors import (
    FieldError,
    InvalidFieldError,
    InvalidJsonError,
    InvalidQueryError,
    NotFoundError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from chalicelib.http.schema import REQUIRED, JsonObject, Schema, check

MAX_BODY_BYTES = 128 * 1024  # a content of 16 KiB, each byte escaped as six, fits
ID_PATTERN = "[A-Za-z0-9._~:@=-]{1,64}"
_ID = re.compile(ID_PATTERN)
_TEXT = "emoji"
_WHOLE = re.compile(r"-?[0-9]{1,18}")


def path_values(values: Mapping[str, str]) -> Mapping[str, str]:
    """The ids in a path, and an emoji, which a client has to escape and a gateway may unescape.

    Raises:
        NotFoundError: One of them can be nobody's id.
    """
    if not all(name == _TEXT or _ID.fullmatch(value) for name, value in values.items()):
        raise NotFoundError("there is nothing at this path")
    return {name: unquote(value) if name == _TEXT else value for name, value in values.items()}


def query_values(schemas: Mapping[str, Schema], given: Mapping[str, str] | None) -> JsonObject:
    """The declared query parameters, converted; others are ignored.

    Raises:
        InvalidQueryError: Some are not as declared.
    """
    values: JsonObject = {}
    wrong: list[FieldError] = []
    for name, schema in schemas.items():
        if given is not None and name in given:
            values[name] = _converted(schema, given[name])
            wrong.extend(check(schema, values[name], name))
        elif "default" in schema:
            values[name] = schema["default"]
        elif REQUIRED in schema:
            wrong.append(FieldError(field=name, message="missing"))
    if wrong:
        raise InvalidQueryError(_sentence(wrong), errors=wrong)
    return values


def body_values(schema: Schema, request: Request, *, may_be_absent: bool) -> JsonObject:
    """The body, checked.

    Raises:
        TooLargeError: It is longer than any valid one.
        UnsupportedMediaTypeError: It is not said to be JSON in UTF-8.
        InvalidJsonError: It is no JSON object.
        InvalidFieldError: Members are missing, unknown or wrong.
    """
    text = _text(request)
    if may_be_absent and not text.strip():
        return {}
    _require_json(request.headers.get("content-type", "application/json"))
    body = _parsed(text)
    if wrong := list(check(schema, body)):
        raise InvalidFieldError(_sentence(wrong), errors=wrong)
    return body


def _text(request: Request) -> str:
    try:
        raw = request.raw_body
    except (binascii.Error, UnicodeError) as error:
        raise InvalidJsonError("the body is not valid base64 or UTF-8") from error
    if len(raw) > MAX_BODY_BYTES:
        raise TooLargeError(f"a body has at most {MAX_BODY_BYTES} bytes")
    try:
        return raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidJsonError("the body is not UTF-8") from error


def _require_json(content_type: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = next((p for p in parameters if p.startswith("charset=")), "charset=utf-8")
    utf8 = charset.partition("=")[2].strip('"') in ("utf-8", "utf8")
    if media_type != "application/json" or not utf8:
        raise UnsupportedMediaTypeError("expected Content-Type: application/json")


def _parsed(text: str) -> JsonObject:
    try:
        body = json.loads(text, parse_float=_number, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise InvalidJsonError("the body is not a JSON object")
    return body


def _number(text: str) -> float:
    """To JSON Schema 1.0 is an integer, as it is to JavaScript."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _converted(schema: Schema, text: str) -> Any:
    if schema["type"] == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    return text


def _sentence(wrong: list[FieldError]) -> str:
    return "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in wrong)
