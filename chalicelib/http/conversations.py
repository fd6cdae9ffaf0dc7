"""Conversations and messages over REST: the same services as the WebSocket routes."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import (
    BlockedError,
    ConversationNotFoundError,
    NotFriendsError,
    NotMemberError,
    SelfError,
    TooLargeError,
    UserNotFoundError,
)
from chalicelib.frames import MAX_CONTENT_BYTES, Rejected, dump, parse_draft
from chalicelib.http import paging
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    integer,
    nullable,
    obj,
    open_object,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.http.users import PROFILE, profile
from chalicelib.logic.conversations import ConversationView
from chalicelib.models import AckStatus, ContentType, ConversationType

api = Api("conversations")

ID = string(min_length=1, max_length=64)
MESSAGE = obj(
    "Message",
    id=string(),
    conversation_id=string(),
    sender_id=string(),
    seq=integer(minimum=1),
    type=string(choices=[kind.value for kind in ContentType]),
    content=string(),
    created_at=timestamp(),
    client_msg_id=optional(string()),
)
RECEIPT = obj("Place", user_id=string(), delivered_seq=integer(), read_seq=integer())
CONVERSATION = obj(
    "Conversation",
    id=string(),
    type=string(choices=[kind.value for kind in ConversationType]),
    last_message=nullable(MESSAGE),
    last_seq=integer(minimum=0),
    read_seq=integer(minimum=0),
    delivered_seq=integer(minimum=0),
    unread_count=integer(minimum=0),
    created_at=string(),
    updated_at=string(),
    user=optional(PROFILE),
    receipts=optional(array(RECEIPT)),
)
SENT = obj(
    "Sent",
    client_msg_id=string(),
    message_id=string(),
    conversation_id=string(),
    created_at=timestamp(),
)
_ACCESS = (ConversationNotFoundError, NotMemberError)
_SENDABLE = [kind.value for kind in ContentType if kind is not ContentType.SYSTEM]


def _shown(views: Iterable[ConversationView]) -> list[JsonObject]:
    """Conversations as the API shows them, direct ones with the other person."""
    views = list(views)
    peers = accounts.users_table().get_many([view.peer_id for view in views if view.peer_id])
    shown = []
    for view in views:
        body: JsonObject = {
            "id": view.head.id,
            "type": view.head.type.value,
            "last_message": view.last_message,
            "last_seq": view.head.last_seq,
            "read_seq": view.member.read_seq,
            "delivered_seq": view.member.delivered_seq,
            "unread_count": view.unread_count,
            "created_at": view.head.created_at,
            "updated_at": view.head.updated_at,
        }
        if view.peer_id in peers:
            body["user"] = profile(peers[view.peer_id])
        if view.peer is not None:
            body["receipts"] = [
                {
                    "user_id": view.peer.user_id,
                    "delivered_seq": view.peer.delivered_seq,
                    "read_seq": view.peer.read_seq,
                }
            ]
        shown.append(body)
    return shown


@api.route(
    "GET",
    "/v1/conversations",
    summary="My conversations, the one with the newest message first.",
    query={"limit": paging.LIMIT, "cursor": paging.CURSOR},
    answer=page_of("Conversations", CONVERSATION),
)
def all_conversations(call: Call) -> JsonObject:
    """One page of the caller's conversations."""
    after = paging.decode("conversations", call.query.get("cursor"))
    views = [
        view
        for view in bootstrap.conversations().all(call.user_id)
        if after is None or [view.head.updated_at, view.head.id] < after
    ]
    limit = call.query["limit"]
    last = views[limit - 1].head if len(views) > limit else None
    position = [last.updated_at, last.id] if last else None
    return paging.page(_shown(views[:limit]), "conversations", position)


@api.route(
    "POST",
    "/v1/conversations",
    summary="Opens the direct conversation with a user, or finds it again.",
    body=obj("NewConversation", user_id=ID),
    status=201,
    answer=CONVERSATION,
    idempotent=True,
    errors=(SelfError, UserNotFoundError),
)
def open_direct(call: Call) -> Answer:
    """201 where it is new, 200 where it was there."""
    view, created = bootstrap.conversations().open_direct(call.user_id, call.body["user_id"])
    return Answer(body=_shown([view])[0], status=201 if created else 200)


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
    return _shown([view])[0]


@api.route(
    "GET",
    "/v1/conversations/{conversation_id}/messages",
    summary="History: after a number oldest first, before one the nearest first, else the newest.",
    query={
        "before_seq": integer(minimum=1),
        "after_seq": integer(minimum=0),
        "limit": paging.LIMIT,
        "cursor": paging.CURSOR,
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
    body=obj(
        "NewMessage",
        client_msg_id=optional(ID),
        content=string(description=f"at most {MAX_CONTENT_BYTES} bytes of UTF-8"),
        content_type=optional(string(choices=_SENDABLE)),
    ),
    status=201,
    answer=SENT,
    idempotent=True,
    errors=(*_ACCESS, BlockedError, NotFriendsError, TooLargeError),
)
def send(call: Call) -> JsonObject:
    """Answers once Kafka has the message."""
    body = {"client_msg_id": call.operation_id, **call.body}
    draft = parse_draft({**body, "conversation_id": call.path["conversation_id"]})
    (result,) = bootstrap.messages().send_message(call.ctx, call.user_id, [draft])
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
    body=obj("Read", seq=integer(minimum=0, maximum=2**53 - 1)),
    answer=obj("ReadUpTo", conversation_id=string(), seq=integer(), unread_count=integer()),
    errors=_ACCESS,
)
def read(call: Call) -> JsonObject:
    """Answers how far the caller has read now."""
    room = call.path["conversation_id"]
    seq = bootstrap.acks().ack(call.ctx, call.user_id, room, call.body["seq"], AckStatus.READ)
    view = bootstrap.conversations().get(call.user_id, room)
    return {"conversation_id": room, "seq": seq, "unread_count": view.unread_count}


@api.route(
    "GET",
    "/v1/unread",
    summary="How many messages I have not read, in total and by conversation.",
    answer=obj("Unread", total=integer(minimum=0), conversations=open_object()),
)
def unread(call: Call) -> JsonObject:
    """The counts above zero."""
    views = bootstrap.conversations().all(call.user_id)
    counts = {view.head.id: view.unread_count for view in views if view.unread_count}
    return {"total": sum(counts.values()), "conversations": counts}


@api.route(
    "GET",
    "/v1/users/{user_id}/presence",
    summary="Whether a user is connected, and when they were last seen.",
    answer=obj(
        "Presence",
        user_id=string(),
        status=string(choices=("online", "offline")),
        last_seen=nullable(timestamp()),
    ),
    errors=(UserNotFoundError,),
)
def presence(call: Call) -> JsonObject:
    """A user's presence."""
    user_id = call.path["user_id"]
    if not bootstrap.directory().exists(user_id):
        raise UserNotFoundError
    status, last_seen = bootstrap.presence().of(user_id)
    return {"user_id": user_id, "status": status, "last_seen": last_seen}
