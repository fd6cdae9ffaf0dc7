"""Conversations and messages over REST: the same services as the WebSocket routes."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
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
from chalicelib.frames import MAX_CONTENT_BYTES, Rejected, dump, parse_draft
from chalicelib.http import paging
from chalicelib.http.message_schema import DRAFT_MEMBERS, OPTIONAL_MEMBERS
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    integer,
    nullable,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.http.users import PROFILE, profile
from chalicelib.logic.conversations import ConversationView, position
from chalicelib.models import AckStatus, ContentType, ConversationType, Role

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
    **OPTIONAL_MEMBERS,
)
CONTENT = string(description=f"at most {MAX_CONTENT_BYTES} bytes of UTF-8")
RECEIPT = obj("Place", user_id=string(), delivered_seq=integer(), read_seq=integer())
GROUP = obj(
    "ConversationGroup",
    name=string(),
    avatar=string(),
    member_count=integer(minimum=0),
    role=string(choices=[role.value for role in Role]),
)
SETTINGS = obj(
    "Settings",
    conversation_id=string(),
    muted=boolean(),
    muted_until=nullable(timestamp()),
    pinned=boolean(),
)
DRAFT = obj("SavedDraft", content=string(), updated_at=timestamp())
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
    group=optional(GROUP),
    settings=SETTINGS,
    draft=optional(DRAFT),
)
SENT = obj(
    "Sent",
    client_msg_id=string(),
    message_id=string(),
    conversation_id=string(),
    created_at=timestamp(),
)
_MAX_SEQ = 2**53 - 1  # what every JSON reader takes exactly
_ACCESS = (ConversationNotFoundError, NotMemberError)
SENDABLE = [kind.value for kind in ContentType if kind is not ContentType.SYSTEM]


def _shown(views: Iterable[ConversationView]) -> list[JsonObject]:
    """Conversations as the API shows them, with the other person or the group."""
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
            "settings": presence.settings().shown(view.settings),
        }
        if view.settings.draft:
            draft = {"content": view.settings.draft, "updated_at": view.settings.draft_at}
            body["draft"] = draft
        if view.peer_id in peers:
            body["user"] = profile(peers[view.peer_id])
        if view.group is not None:
            body["group"] = {
                "name": view.group.name,
                "avatar": view.group.avatar,
                "member_count": view.group.member_count,
                "role": view.member.role.value,
            }
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
    summary="My conversations, pinned ones first, then the one with the newest message.",
    query={"limit": paging.LIMIT, "cursor": paging.CURSOR},
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
    return paging.page(_shown(views[:limit]), "my conversations", list(last) if last else None)


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
        "before_seq": integer(minimum=1, maximum=_MAX_SEQ),
        "after_seq": integer(minimum=0, maximum=_MAX_SEQ),
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
        content=CONTENT,  # empty with `forward_of`
        content_type=optional(string(choices=SENDABLE)),
        **DRAFT_MEMBERS,
    ),
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
    body=obj("Read", seq=integer(minimum=0, maximum=_MAX_SEQ)),
    answer=obj("ReadUpTo", conversation_id=string(), seq=integer(), unread_count=integer()),
    errors=_ACCESS,
)
def read(call: Call) -> JsonObject:
    """Answers how far the caller has read now."""
    room = call.path["conversation_id"]
    seq = bootstrap.acks().ack(call.ctx, call.user_id, room, call.body["seq"], AckStatus.READ)
    view = bootstrap.conversations().get(call.user_id, room)
    return {"conversation_id": room, "seq": seq, "unread_count": view.unread_count}
