"""Conversations and messages over REST: the same services as the WebSocket routes."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib import bootstrap_mentions as mentioning
from chalicelib import bootstrap_presence as presence
from chalicelib.errors import (
    BlockedError,
    ConversationNotFoundError,
    ForbiddenError,
    MessageNotFoundError,
    MutedError,
    NotFriendsError,
    NotMemberError,
    NotUploadedError,
    SelfError,
    TooLargeError,
    UserNotFoundError,
)
from chalicelib.frames import Rejected, dump, parse_draft
from chalicelib.http import paging
from chalicelib.http.conversation_view import CONVERSATION, shown
from chalicelib.http.message_schema import ID, MESSAGE, draft
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import (
    JsonObject,
    integer,
    obj,
    page_of,
    string,
    timestamp,
)
from chalicelib.logic.conversations import position
from chalicelib.models import AckStatus

api = Api("conversations")

SENT = obj(
    "Sent",
    client_msg_id=string(),
    message_id=string(),
    conversation_id=string(),
    created_at=timestamp(),
)
_MAX_SEQ = 2**53 - 1  # what every JSON reader takes exactly
_ACCESS = (ConversationNotFoundError, NotMemberError)


@api.route(
    "GET",
    "/v1/conversations",
    summary="My conversations, pinned ones first, then the one with the newest message.",
    query=paging.PAGE,
    answer=page_of("Conversations", CONVERSATION),
)
def all_conversations(call: Call) -> JsonObject:
    """One page of the caller's conversations."""
    after = paging.decode("my conversations", call.query.get("cursor"))
    views = [
        view
        for view in bootstrap.conversations().all(call.user_id)
        if after is None or list(position(view)) < after
    ]
    limit = call.query["limit"]
    last = position(views[limit - 1]) if len(views) > limit else None
    bodies = shown(call.user_id, views[:limit])
    return paging.page(bodies, "my conversations", list(last) if last else None)


@api.route(
    "POST",
    "/v1/conversations",
    summary="Opens the direct conversation with a user, or finds it again.",
    body=obj("NewConversation", user_id=ID),
    status=201,
    other_statuses=(200,),
    answer=CONVERSATION,
    idempotent=True,
    errors=(SelfError, UserNotFoundError),
)
def open_direct(call: Call) -> Answer:
    """201 where it is new, 200 where it was there."""
    view, created = bootstrap.conversations().open_direct(call.user_id, call.body["user_id"])
    if view.settings.hidden_seq >= 0:
        presence.settings().show(call.user_id, view.head.id)
    return Answer(body=shown(call.user_id, [view])[0], status=201 if created else 200)


@api.route(
    "GET",
    "/v1/conversations/{conversation_id}",
    summary="A conversation of mine.",
    answer=CONVERSATION,
    errors=_ACCESS,
)
def one_conversation(call: Call) -> JsonObject:
    """One conversation."""
    view = bootstrap.conversations().get(call.user_id, call.path["conversation_id"])
    return shown(call.user_id, [view])[0]


@api.route(
    "GET",
    "/v1/conversations/{conversation_id}/messages",
    summary="History: after a number oldest first, before one the nearest first, else the newest.",
    query={
        "before_seq": integer(minimum=1, maximum=_MAX_SEQ),
        "after_seq": integer(minimum=0, maximum=_MAX_SEQ),
        **paging.PAGE,
    },
    answer=page_of("Messages", MESSAGE),
    errors=_ACCESS,
)
def history(call: Call) -> Answer:
    """A page of messages, passed on as they are stored."""
    room = call.path["conversation_id"]
    before, after = call.query.get("before_seq"), call.query.get("after_seq")
    scope = f"messages {room} {after is not None}"
    position = paging.decode(scope, call.query.get("cursor"))
    if position is not None:
        before, after = (before, position) if after is not None else (position, None)
    limit = call.query["limit"]
    found = bootstrap.messages().get_messages(
        call.user_id, room, before=before, after=after, limit=limit
    )
    more = len(found) == limit and (after is not None or found[-1].seq > 1)
    cursor = dump(paging.encode(scope, found[-1].seq)) if more else "null"
    texts = ",".join(one.text for one in found)
    return Answer(body=f'{{"items":[{texts}],"next_cursor":{cursor}}}')


@api.route(
    "POST",
    "/v1/conversations/{conversation_id}/messages",
    summary="Sends a message: the same as the frame `send`.",
    body=draft("NewMessage"),
    status=201,
    answer=SENT,
    idempotent=True,
    errors=(
        *_ACCESS,
        BlockedError,
        NotFriendsError,
        MutedError,
        TooLargeError,
        ForbiddenError,
        MessageNotFoundError,
        NotUploadedError,
    ),
)
def send(call: Call) -> JsonObject:
    """Answers once Kafka has the message."""
    body = {"client_msg_id": call.operation_id, **call.body}
    parsed = parse_draft({**body, "conversation_id": call.path["conversation_id"]})
    (result,) = bootstrap.messages().send_message(call.ctx, call.user_id, [parsed])
    if isinstance(result, Rejected):
        raise result.error
    return {
        "client_msg_id": result.client_msg_id,
        "message_id": result.message_id,
        "conversation_id": result.conversation_id,
        "created_at": result.created_at,
    }


@api.route(
    "POST",
    "/v1/conversations/{conversation_id}/read",
    summary="Marks everything up to a number as read: the same as the frame `ack`.",
    body=obj("Read", seq=integer(minimum=0, maximum=_MAX_SEQ)),
    answer=obj(
        "ReadUpTo",
        conversation_id=string(),
        seq=integer(),
        unread_count=integer(),
        unread_mentions=integer(),
    ),
    errors=_ACCESS,
)
def read(call: Call) -> JsonObject:
    """Answers how far the caller has read now."""
    room = call.path["conversation_id"]
    seq = bootstrap.acks().ack(call.ctx, call.user_id, room, call.body["seq"], AckStatus.READ)
    view = bootstrap.conversations().get(call.user_id, room)
    mentions = mentioning.mentions().unread(call.user_id, [view])
    return {
        "conversation_id": room,
        "seq": seq,
        "unread_count": view.unread_count,
        "unread_mentions": mentions.get(room, 0),
    }
