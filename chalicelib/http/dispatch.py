"""From API Gateway's one proxy resource to the routes of the Chalice app.

Chalice finds a route by the template's resource; behind ``/v1/{proxy+}`` that is always the same
one, so the path is matched here. What no route takes is answered here too, for Chalice would say
405 to an unknown path, and in a format of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from chalice.app import Chalice

from chalicelib.errors import IMError, InternalError, MethodNotAllowedError, NotFoundError
from chalicelib.http import cors
from chalicelib.http.problem import problem
from chalicelib.http.routing import trace_of

logger = logging.getLogger(__name__)

Event = dict[str, Any]
# What Chalice takes for granted, and API Gateway leaves out or sets to null.
_ABSENT: Mapping[str, Any] = {
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "body": None,
}


def dispatch(app: Chalice, event: Event, context: object) -> dict[str, Any]:
    """Answers a REST event; always in our format, whatever happens."""
    event = {**_ABSENT, **event, "headers": event.get("headers") or {}}
    headers = {name.lower(): value for name, value in event["headers"].items()}
    answer = _dispatch(app, event, context, headers)
    answer["headers"].update(cors.headers(headers))
    return answer


def _dispatch(
    app: Chalice, event: Event, context: object, headers: Mapping[str, str]
) -> dict[str, Any]:
    trace_id = trace_of(headers)
    try:
        path = _path(event)
        resource, values = _match(app, path)
        method = event["requestContext"]["httpMethod"]
        if cors.is_preflight(method, headers):
            return cors.preflight(app.routes[resource])
        if method not in app.routes[resource]:
            allowed = ", ".join(sorted(app.routes[resource]))
            error = MethodNotAllowedError(f"{path} takes {allowed}")
            return _answered(error, trace_id, {"Allow": allowed})
        event["pathParameters"] = values
        event["requestContext"] = {**event["requestContext"], "resourcePath": resource}
        answer: dict[str, Any] = app(event, context)
    except IMError as error:
        return _answered(error, trace_id)
    except Exception:
        logger.exception("event failed unexpectedly")
        return _answered(InternalError(), trace_id)
    return answer


def resource_of(app: Chalice, event: Event) -> str:
    """The route that an event is for, as it is declared; empty when there is none."""
    try:
        return _match(app, _path(event))[0]
    except IMError:
        return ""


def _path(event: Event) -> str:
    """The path below the stage; a custom domain may put a prefix before ``event["path"]``."""
    proxied = (event.get("pathParameters") or {}).get("proxy")
    if proxied is None:
        return str(event.get("path", ""))
    return str(event.get("resource", "")).replace("{proxy+}", proxied)


def _match(app: Chalice, path: str) -> tuple[str, dict[str, str]]:
    if path in app.routes and "{" not in path:
        return path, {}
    parts = path.split("/")
    for resource in sorted(app.routes, key=lambda one: one.count("{")):
        names = resource.split("/")
        if len(names) == len(parts) and all(
            name == part or (name.startswith("{") and part)
            for name, part in zip(names, parts, strict=True)
        ):
            pairs = zip(names, parts, strict=True)
            return resource, {name[1:-1]: part for name, part in pairs if name.startswith("{")}
    raise NotFoundError("there is nothing at this path")


def _answered(
    error: IMError, trace_id: str, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    answer: dict[str, Any] = problem(error, trace_id, headers).to_dict()
    return answer
