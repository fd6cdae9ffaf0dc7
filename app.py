"""The REST API: a Chalice app behind one proxy resource of API Gateway."""

from __future__ import annotations

import time
from typing import Any

from chalice.app import Chalice

from chalicelib.http import (
    account,
    admin,
    admin_bans,
    admin_operations,
    attachments,
    auth,
    blocks,
    bots,
    changes,
    conversations,
    documents,
    friends,
    group_members,
    groups,
    invitations,
    oidc,
    password_reset,
    presence,
    provisioning,
    push_tokens,
    reading,
    reports,
    scheduled_messages,
    search,
    settings,
    users,
    webhooks,
)
from chalicelib.http.dispatch import dispatch, resource_of
from chalicelib.http.routing import trace_of
from chalicelib.logs import new_logger
from functions._entry import entry

app = Chalice("lambchat", configure_logs=False, env={})
for part in (
    auth,
    users,
    account,
    friends,
    blocks,
    groups,
    group_members,
    invitations,
    conversations,
    changes,
    documents,
    admin,
    admin_bans,
    admin_operations,
    oidc,
    password_reset,
    provisioning,
    presence,
    reading,
    settings,
    attachments,
    scheduled_messages,
    search,
    webhooks,
    bots,
    reports,
    push_tokens,
):
    app.register_blueprint(part.api.blueprint)

logger = new_logger()


@entry
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers a request, and logs that it did: never its query, its body or a token."""
    started = time.perf_counter()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    logger.append_keys(trace_id=trace_of(headers))
    answer = dispatch(app, event, context)
    logger.info(
        "request",
        extra={
            "method": event.get("requestContext", {}).get("httpMethod"),
            "route": resource_of(app, event),
            "status": answer["statusCode"],
            "duration_ms": round((time.perf_counter() - started) * 1000, 1),
        },
    )
    return answer
