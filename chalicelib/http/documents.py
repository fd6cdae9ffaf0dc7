"""What a client reads before it logs in: health, settings, keys, and the API's own document."""

from __future__ import annotations

import os

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_limits as limits
from chalicelib import frames
from chalicelib.errors import UnavailableError
from chalicelib.http import docs_page, openapi
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import JsonObject, integer, obj, open_object, string
from chalicelib.http.validation import MAX_BODY_BYTES

api = Api("documents")

_PUBLIC = {"Cache-Control": "public, max-age=60"}
LIMITS = {
    "max_frame_bytes": frames.MAX_FRAME_BYTES,
    "max_content_bytes": frames.MAX_CONTENT_BYTES,
    "max_messages_per_frame": frames.MAX_MESSAGES_PER_FRAME,
    "max_client_msg_id_length": frames.MAX_ID_LENGTH,
    "max_body_bytes": MAX_BODY_BYTES,
    "connection_max_age_s": 7200,  # API Gateway quota: the longest a connection lives
    "idle_timeout_s": 600,  # API Gateway quota: closed when nothing was said for so long
}


@api.route(
    "GET",
    "/v1/health",
    summary="Whether the services behind this one answer: 200 when all do, else 503.",
    auth=False,
    answer=obj("Health", status=string(choices=("ok", "unavailable")), dependencies=open_object()),
    errors=(UnavailableError,),
)
def health(_call: Call) -> Answer:
    """The state of each dependency."""
    states = dict(accounts.health().states())
    is_ready = all(state == "ok" for state in states.values())
    body = {"status": "ok" if is_ready else "unavailable", "dependencies": states}
    if is_ready:
        return Answer(body=body)
    return Answer(body=body, status=503, headers={"Retry-After": "1"})


@api.route(
    "GET",
    "/v1/client-config",
    summary="Where the WebSocket API is, and the limits that a client should know.",
    auth=False,
    answer=obj(
        "ClientConfig",
        websocket_url=string(format="uri"),
        minimum_client_version=string(),
        limits=obj("Limits", **{name: integer(minimum=1) for name in LIMITS}),
    ),
)
def client_config(_call: Call) -> Answer:
    """The client's settings."""
    body = {
        "websocket_url": os.environ["WEBSOCKET_URL"],
        "minimum_client_version": limits.http_policy().minimum_client_version,
        "limits": dict(LIMITS),
    }
    return Answer(body=body, headers=_PUBLIC)


@api.route(
    "GET",
    "/v1/.well-known/jwks.json",
    summary="The public keys that access tokens are verified with (RFC 7517).",
    auth=False,
    answer=open_object(),
)
def jwks(_call: Call) -> Answer:
    """The JSON Web Key Set."""
    text = accounts.jwks(60.0)
    if text is None:
        raise UnavailableError("there is no signing key yet")
    return Answer(body=text, headers=_PUBLIC)


@api.route("GET", "/v1/openapi.json", summary="This document.", auth=False, answer=open_object())
def openapi_document(_call: Call) -> Answer:
    """The OpenAPI document."""
    return Answer(body=_document(), headers=_PUBLIC)


@api.route(
    "GET",
    "/v1/docs",
    summary="A page that shows the API.",
    auth=False,
    answer=string(),
    media_type="text/html",
)
def docs(_call: Call) -> Answer:
    """The API document as a page."""
    return Answer(body=docs_page.render(_document()), headers={**docs_page.HEADERS, **_PUBLIC})


def _document() -> JsonObject:
    return openapi.document(openapi.operations_of(api.blueprint.current_app.routes))
