"""Messages that are sent later."""

from __future__ import annotations

from chalicelib import bootstrap_messaging as messaging
from chalicelib.errors import (
    BlockedError,
    ConflictError,
    ConversationNotFoundError,
    ForbiddenError,
    LimitReachedError,
    MessageNotFoundError,
    MutedError,
    NotFoundError,
    NotFriendsError,
    NotMemberError,
    NotUploadedError,
    TooLargeError,
)
from chalicelib.http import paging
from chalicelib.http.message_schema import CONTENT, ID, SENDABLE, draft, draft_members
from chalicelib.http.moments import TIME, seconds_of
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.models import ScheduledMessage, ScheduledStatus, rfc3339

api = Api("scheduled_messages")

SCHEDULED = obj(
    "ScheduledMessage",
    id=string(),
    status=string(choices=[one.value for one in ScheduledStatus]),
    deliver_at=timestamp(),
    created_at=timestamp(),
    error=optional(obj("ScheduledError", code=string(), message=string())),
    conversation_id=ID,
    client_msg_id=optional(ID),
    content=optional(CONTENT),  # not with `forward_of`
    content_type=optional(string(choices=SENDABLE)),
    **draft_members(),
)


@api.route(
    "POST",
    "/v1/scheduled-messages",
    summary="Has a message sent at a time, within a minute of it. Whether I may write there is "
    "asked now and then.",
    body=draft("NewScheduledMessage", conversation_id=ID, deliver_at=TIME),
    status=201,
    answer=SCHEDULED,
    idempotent=True,
    errors=(
        ConversationNotFoundError,
        NotMemberError,
        BlockedError,
        NotFriendsError,
        MutedError,
        ForbiddenError,
        MessageNotFoundError,
        NotUploadedError,
        TooLargeError,
        LimitReachedError,
    ),
)
def schedule(call: Call) -> JsonObject:
    """Schedules a message."""
    body = {"client_msg_id": call.operation_id, **call.body}
    deliver_at = seconds_of("deliver_at", body.pop("deliver_at"))
    scheduled = messaging.scheduled_messages()
    return _shown(scheduled.schedule(call.ctx, call.user_id, body, deliver_at, call.operation_id))


@api.route(
    "GET",
    "/v1/scheduled-messages",
    summary="My messages that wait to be sent, the next one first, and for 30 days those that "
    "could not be sent.",
    query=paging.PAGE,
    answer=page_of("ScheduledMessages", SCHEDULED),
)
def all_scheduled(call: Call) -> JsonObject:
    """One page."""
    start = paging.decode("scheduled-messages", call.query.get("cursor"))
    found, position = messaging.scheduled_messages_table().page(
        call.user_id, start=start, limit=call.query["limit"]
    )
    return paging.page(map(_shown, found), "scheduled-messages", position)


@api.route(
    "DELETE",
    "/v1/scheduled-messages/{scheduled_id}",
    summary="Cancels a message, as long as it was not sent; forgets one that failed.",
    status=204,
    errors=(NotFoundError, ConflictError),
)
def cancel(call: Call) -> None:
    """Cancels a message."""
    messaging.scheduled_messages().cancel(call.user_id, call.path["scheduled_id"])


def _shown(one: ScheduledMessage) -> JsonObject:
    body: JsonObject = {
        "id": one.id,
        "status": one.status.value,
        "deliver_at": rfc3339(one.deliver_at),
        "created_at": rfc3339(one.created_at),
        **one.draft,
    }
    if one.status is ScheduledStatus.FAILED:
        body["error"] = {"code": one.code, "message": one.reason}
    return body
