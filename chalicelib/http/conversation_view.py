"""Conversations as the API shows them: each as one member sees it."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_mentions as mentioning
from chalicelib import bootstrap_presence as presence
from chalicelib.http.message_schema import MESSAGE
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    integer,
    nullable,
    obj,
    optional,
    string,
    timestamp,
)
from chalicelib.http.users import PROFILE, profile
from chalicelib.logic.conversations import ConversationView
from chalicelib.models import ConversationType, Role

_RECEIPT = obj("Place", user_id=string(), delivered_seq=integer(), read_seq=integer())
_GROUP = obj(
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
    unread_mentions=integer(minimum=0),
    created_at=string(),
    updated_at=string(),
    user=optional(PROFILE),
    receipts=optional(array(_RECEIPT)),
    group=optional(_GROUP),
    settings=SETTINGS,
    draft=optional(DRAFT),
)


def shown(user_id: str, views: Iterable[ConversationView]) -> list[JsonObject]:
    """Conversations with the other person or the group."""
    views = list(views)
    peers = accounts.users_table().get_many([view.peer_id for view in views if view.peer_id])
    mentions = mentioning.mentions().unread(user_id, views)
    bodies = []
    for view in views:
        body: JsonObject = {
            "id": view.head.id,
            "type": view.head.type.value,
            "last_message": view.last_message,
            "last_seq": view.head.last_seq,
            "read_seq": view.member.read_seq,
            "delivered_seq": view.member.delivered_seq,
            "unread_count": view.unread_count,
            "unread_mentions": mentions.get(view.head.id, 0),
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
        bodies.append(body)
    return bodies
