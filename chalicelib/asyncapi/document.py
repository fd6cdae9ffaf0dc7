"""The whole document."""

from __future__ import annotations

import json

from chalicelib.asyncapi import topics, websocket
from chalicelib.asyncapi.frames import SCHEMAS
from chalicelib.http.schema import JsonObject

VERSION = "1.0.0"  # of the wire contract, as in the OpenAPI document


def document() -> JsonObject:
    """The document; the same code makes the same one."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "lambchat",
            "version": VERSION,
            "description": "Instant messaging: the WebSocket API that clients use, and the Kafka "
            "topics behind it. The REST API has an OpenAPI document, `GET /v1/openapi.json`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"websocket": websocket.SERVER, "kafka": topics.SERVER},
        "channels": {"websocket": websocket.CHANNEL, **topics.channels()},
        "operations": {**websocket.operations(), **topics.operations()},
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": websocket.SECURITY_SCHEMES,
            "correlationIds": websocket.CORRELATION_IDS,
        },
    }


def text() -> str:
    """The document as the file has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
