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
from chalicelib.frame_fields import invalid
from chalicelib.http import paging
from chalicelib.http.admin_bans import TIME
from chalicelib.http.conversations import CONTENT, ID, SENDABLE
from chalicelib.http.message_schema import DRAFT_MEMBERS
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.models import ScheduledMessage, ScheduledStatus, rfc3339, unix_seconds

api = Api("scheduled_messages")

_DRAFT = {
    "conversation_id": ID,
    "client_msg_id": optional(ID),
    "content": optional(CONTENT),  # not with `forward_of`
    "content_type": optional(string(choices=SENDABLE)),
    **DRAFT_MEMBERS,
}
SCHEDULED = obj(
    "ScheduledMessage",
    id=string(),
    status=string(choices=[one.value for one in ScheduledStatus]),
    deliver_at=timestamp(),
    created_at=timestamp(),
    error=optional(obj("ScheduledError", code=string(), message=string())),
    **_DRAFT,
)


@api.route(
    "POST",
    "/v1/scheduled-messages",
    summary="Has a message sent at a time, within a minute of it. Whether I may write there is "
    "asked now and then.",
    body=obj("NewScheduledMessage", **_DRAFT, deliver_at=TIME),
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
    draft = {"client_msg_id": call.operation_id, **call.body}
    text = draft.pop("deliver_at")
    try:
        deliver_at = unix_seconds(text)
    except ValueError as error:
        raise invalid("deliver_at", f"expected {TIME['description']}") from error
    scheduled = messaging.scheduled_messages()
    return _shown(scheduled.schedule(call.ctx, call.user_id, draft, deliver_at, call.operation_id))


@api.route(
    "GET",
    "/v1/scheduled-messages",
    summary="My messages that wait to be sent, the next one first, and for 30 days those that "
    "could not be sent.",
    query={"limit": paging.LIMIT, "cursor": paging.CURSOR},
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
