"""Receivers of webhooks: role admin only."""

from __future__ import annotations

from chalicelib import bootstrap_integration as integration
from chalicelib.errors import InvalidFieldError, LimitReachedError, NotFoundError
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    obj,
    optional,
    string,
    timestamp,
)
from chalicelib.logic.outbound import MAX_URL_CHARACTERS, URL_PATTERN
from chalicelib.models import Webhook, WebhookEvent, rfc3339

api = Api("webhooks")

URL = string(
    max_length=MAX_URL_CHARACTERS, pattern=URL_PATTERN, description="https, a public address"
)
_EVENT = string(choices=[one.value for one in WebhookEvent])
_EVENTS = array(_EVENT, min_items=1, max_items=len(WebhookEvent))
_DESCRIPTION = string(max_length=200)
_MEMBERS = {
    "id": string(),
    "url": string(),
    "events": array(string()),
    "description": string(),
    "active": boolean(),
    "created_at": timestamp(),
    "created_by": string(),
}
WEBHOOK = obj("Webhook", **_MEMBERS)
_ID_PATH = "/v1/admin/webhooks/{webhook_id}"


@api.route(
    "GET",
    "/v1/admin/webhooks",
    summary="Every receiver of events, at most 100, without its secret.",
    role="admin",
    answer=obj("Webhooks", items=array(WEBHOOK)),
)
def all_webhooks(_call: Call) -> JsonObject:
    """All of them."""
    return {"items": [_shown(one) for one in integration.webhooks().all()]}


@api.route(
    "POST",
    "/v1/admin/webhooks",
    summary="Adds a receiver; the secret that its posts are signed with is shown this once.",
    role="admin",
    body=obj("NewWebhook", url=URL, events=_EVENTS, description=optional(_DESCRIPTION)),
    status=201,
    answer=obj("AddedWebhook", **_MEMBERS, secret=string()),
    idempotent=True,
    errors=(InvalidFieldError, LimitReachedError),
)
def add(call: Call) -> JsonObject:
    """Adds one."""
    webhook = integration.webhooks().add(call.ctx, webhook_id=call.operation_id, **call.body)
    return {**_shown(webhook), "secret": webhook.secret}


@api.route(
    "GET",
    _ID_PATH,
    summary="One receiver.",
    role="admin",
    answer=WEBHOOK,
    errors=(NotFoundError,),
)
def get(call: Call) -> JsonObject:
    """One of them."""
    return _shown(integration.webhooks().get(call.path["webhook_id"]))


@api.route(
    "PATCH",
    _ID_PATH,
    summary="Changes a receiver; while it is not active nothing is posted, and nothing kept.",
    role="admin",
    body=obj(
        "WebhookChange",
        url=optional(URL),
        events=optional(_EVENTS),
        description=optional(_DESCRIPTION),
        active=optional(boolean()),
    ),
    answer=WEBHOOK,
    errors=(NotFoundError, InvalidFieldError),
)
def change(call: Call) -> JsonObject:
    """Changes one."""
    return _shown(integration.webhooks().change(call.ctx, call.path["webhook_id"], call.body))


@api.route(
    "POST",
    f"{_ID_PATH}/secret",
    summary="Makes another secret, shown this once; for a day posts are signed with both.",
    role="admin",
    answer=obj("RotatedWebhook", **_MEMBERS, secret=string(), old_secret_until=timestamp()),
    idempotent=True,
    errors=(NotFoundError,),
)
def rotate(call: Call) -> JsonObject:
    """Rotates one's secret."""
    webhook = integration.webhooks().rotate(call.ctx, call.path["webhook_id"])
    until = rfc3339(webhook.old_secret_until)
    return {**_shown(webhook), "secret": webhook.secret, "old_secret_until": until}


@api.route(
    "DELETE",
    _ID_PATH,
    summary="Removes a receiver; what waits for another attempt is dropped.",
    role="admin",
    status=204,
)
def remove(call: Call) -> None:
    """Removes one."""
    integration.webhooks().remove(call.ctx, call.path["webhook_id"])


def _shown(one: Webhook) -> JsonObject:
    return {
        "id": one.id,
        "url": one.url,
        "events": list(one.events),
        "description": one.description,
        "active": one.active,
        "created_at": one.created_at,
        "created_by": one.created_by,
    }
