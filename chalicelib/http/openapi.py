"""The OpenAPI 3.1 document, made from what the routes declare: https://spec.openapis.org/oas/v3.1.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from chalicelib.errors import (
    ClientTooOldError,
    ForbiddenError,
    IdempotencyConflictError,
    IMError,
    InternalError,
    InvalidFieldError,
    InvalidJsonError,
    InvalidQueryError,
    NotFoundError,
    RateLimitedError,
    TokenExpiredError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from chalicelib.http import guard, idempotency, problem
from chalicelib.http.message_schema import ANY_SEQ, EMOJI
from chalicelib.http.routing import Operation, View
from chalicelib.http.schema import REQUIRED, JsonObject, Schema, string
from chalicelib.http.validation import ID_PATTERN

VERSION = "1.0.0"
_PARAMETER = re.compile(r"{(\w+)}")
_IDENTIFIER = string(pattern=ID_PATTERN)
_PATH: Mapping[str, Schema] = {
    "seq": ANY_SEQ,
    "emoji": EMOJI,
}


def operations_of(routes: Mapping[str, Mapping[str, Any]]) -> list[Operation]:
    """The declarations behind a Chalice app's routes, in order of their paths."""
    views = [entry.view_function for path in sorted(routes) for entry in routes[path].values()]
    return [view.operation for view in views if isinstance(view, View)]


def document(operations: Iterable[Operation]) -> JsonObject:
    """The document of these operations."""
    named: JsonObject = {}
    paths: JsonObject = {}
    tags: dict[str, None] = {}
    for operation in operations:
        tags[operation.tag] = None
        described = _operation(operation, named)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lambchat",
            "version": VERSION,
            "description": "Instant messaging. Frames of the WebSocket API are in docs/.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(named.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _operation(operation: Operation, named: JsonObject) -> JsonObject:
    described: JsonObject = {
        "operationId": f"{operation.tag}.{operation.handler.__name__}",
        "summary": operation.summary,
        "tags": [operation.tag],
        # Since 3.1 a requirement of any scheme may list the roles that it takes.
        "security": [{"bearer": [operation.role] * bool(operation.role)}] if operation.auth else [],
        "responses": {
            **_successes(operation, named),
            **_failures(operation, named),
        },
    }
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": {"schema": _reference(operation.body, named)}},
        }
    return described


def _parameters(operation: Operation) -> list[JsonObject]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _PATH.get(name, _IDENTIFIER)}
        for name in _PARAMETER.findall(operation.path)
    ]
    found.extend(
        {
            "name": name,
            "in": "query",
            "required": REQUIRED in schema,
            "schema": {key: value for key, value in schema.items() if key != REQUIRED},
        }
        for name, schema in operation.query.items()
    )
    headers = {}
    if operation.tag != "documents":
        headers[guard.VERSION_HEADER] = guard.VERSION
    if operation.idempotent:
        headers[idempotency.HEADER] = idempotency.KEY
    found.extend(
        {"name": name, "in": "header", "required": False, "schema": schema}
        for name, schema in headers.items()
    )
    return found


def _successes(operation: Operation, named: JsonObject) -> JsonObject:
    content: JsonObject = {}
    if operation.answer is not None:
        schema = _reference(operation.answer, named)
        content = {"content": {operation.media_type: {"schema": schema}}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, **content}
        for status in (operation.status, *operation.other_statuses)
    }


def _failures(operation: Operation, named: JsonObject) -> JsonObject:
    by_status: dict[int, list[str]] = {}
    for error in dict.fromkeys((*operation.errors, *_implied(operation))):
        by_status.setdefault(error.http_status, []).append(f"`{error.code}`")
    content = {problem.MEDIA_TYPE: {"schema": _reference(problem.SCHEMA, named)}}
    return {
        str(status): {"description": ", ".join(codes), "content": content}
        for status, codes in sorted(by_status.items())
    }


def _implied(operation: Operation) -> Iterable[type[IMError]]:
    if operation.auth:
        yield from (UnauthorizedError, TokenExpiredError)
    if operation.role:
        yield ForbiddenError
    if operation.query:
        yield InvalidQueryError
    if "{" in operation.path:
        yield NotFoundError
    if operation.body is not None:
        yield from (InvalidJsonError, InvalidFieldError, TooLargeError, UnsupportedMediaTypeError)
    if operation.idempotent:
        yield from (InvalidFieldError, IdempotencyConflictError)
    if operation.tag != "documents":
        yield ClientTooOldError
    yield from (RateLimitedError, InternalError, UnavailableError)


def _reference(schema: Schema, named: JsonObject) -> JsonObject:
    """The schema with each titled one in it replaced by a reference, and put into ``named``."""
    changed: JsonObject = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in schema:
        members = schema["properties"].items()
        changed["properties"] = {name: _reference(member, named) for name, member in members}
    if "items" in schema:
        changed["items"] = _reference(schema["items"], named)
    if "anyOf" in schema:
        changed["anyOf"] = [_reference(one, named) for one in schema["anyOf"]]
    if "title" not in schema:
        return changed
    title = schema["title"]
    if named.setdefault(title, changed) != changed:
        raise ValueError(f"two different schemas are called {title}")
    return {"$ref": f"#/components/schemas/{title}"}
