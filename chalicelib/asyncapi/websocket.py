"""The WebSocket API: its server and channel, and which route takes and answers what."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib import frames
from chalicelib.asyncapi.fields import message_references, record
from chalicelib.asyncapi.frames import CLIENT_FRAMES
from chalicelib.asyncapi.server_frames import SERVER_FRAMES
from chalicelib.http.schema import JsonObject, optional, string

ROUTES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # frames, answers
    "ping": (("ping",), ("pong",)),
    "send": (("send", "send.batch"), ("sent", "sent.batch")),
    "ack": (("ack",), ("acked",)),
    "sync": (("sync",), ("synced",)),
    "edit": (("edit",), ("ok",)),
    "recall": (("recall",), ("ok",)),
    "react": (("react",), ("ok",)),
    "presence": (("presence",), ("ok",)),
    "$default": (("other",), ()),
}
_PUSHED = (
    "messages",
    "updated",
    "receipt",
    "presence.pushed",
    "typing.pushed",
    "event",
    "notify",
)

SERVER: JsonObject = {
    "host": "{api}.execute-api.{region}.amazonaws.com",
    "pathname": "/{stage}",
    "protocol": "wss",
    "description": "API Gateway; `GET /v1/client-config` says the whole address. "
    "A refused token is HTTP 401 or 403 before the upgrade.",
    "variables": {
        "api": {"description": "The WebSocket API's id."},
        "region": {"description": "The AWS region."},
        "stage": {"description": "The stage."},
    },
    "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("bearer", "token")],
}
SECURITY_SCHEMES: JsonObject = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "token": {
        "type": "httpApiKey",
        "in": "query",
        "name": "token",
        "description": "The access token, for clients that cannot set a header.",
    },
}
CORRELATION_IDS: JsonObject = {
    "ref": {
        "location": "$message.payload#/ref",
        "description": "What a client sends as ref, its answer repeats.",
    }
}
CHANNEL: JsonObject = {
    "address": "/",
    "title": "WebSocket API",
    "description": "JSON texts, of which each has a `type`; unknown members are ignored.",
    "servers": [{"$ref": "#/servers/websocket"}],
    "messages": {**CLIENT_FRAMES, **SERVER_FRAMES},
    "bindings": {
        "ws": {
            "method": "GET",
            "query": record(
                token=optional(string()),
                client_version=optional(
                    string(description="numbers with dots; one that is too low is refused with 403")
                ),
            ),
            "headers": record(Authorization=optional(string(pattern="Bearer .+"))),
            "bindingVersion": "0.1.0",
        }
    },
    "x-lifecycle-routes": ["$connect", "$disconnect"],
    "x-limits": {
        "max_frame_bytes": frames.MAX_FRAME_BYTES,
        "max_post_bytes": frames.MAX_POST_BYTES,
        "max_content_bytes": frames.MAX_CONTENT_BYTES,
        "max_messages_per_frame": frames.MAX_MESSAGES_PER_FRAME,
        "max_id_length": frames.MAX_ID_LENGTH,
        "max_cursors": frames.MAX_CURSORS,
    },
}


def _function(route: str) -> str:
    return "change" if route in ("edit", "recall", "react") else route.removeprefix("$")


def operations() -> JsonObject:
    """One for each route that takes frames, and one for what is sent unasked."""
    channel = {"$ref": "#/channels/websocket"}
    found: JsonObject = {
        route.removeprefix("$"): {
            "action": "receive",
            "channel": channel,
            "summary": f"Route `{route}`: functions/{_function(route)}.py.",
            "messages": message_references("websocket", taken),
            "reply": {
                "channel": channel,
                "messages": message_references("websocket", (*answers, "error")),
            },
            "x-route": route,
        }
        for route, (taken, answers) in ROUTES.items()
    }
    found["typing"] = {
        "action": "receive",
        "channel": channel,
        "summary": "Route `typing`: functions/typing.py.",
        "messages": message_references("websocket", ("typing",)),
        "x-route": "typing",
    }
    found["push"] = {
        "action": "send",
        "channel": channel,
        "summary": "To every device of every member.",
        "messages": message_references("websocket", _PUSHED),
    }
    return found
