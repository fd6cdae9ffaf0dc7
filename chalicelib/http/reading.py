"""How far people have read: I in all conversations, the others in one."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib import bootstrap_mentions as mentioning
from chalicelib import bootstrap_presence as presence
from chalicelib.errors import ConversationNotFoundError, ForbiddenError, NotMemberError
from chalicelib.http import paging
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    integer,
    nullable,
    obj,
    open_object,
    optional,
    page_of,
    string,
)
from chalicelib.logic.places import reached
from chalicelib.models import AckStatus

api = Api("reading")

_MAX_SEQ = 2**53 - 1  # what every JSON reader takes exactly
_COUNTS = {
    "total": integer(minimum=0),
    "conversations": open_object(),
    "mentions": integer(minimum=0),
}
MEMBER_RECEIPT = obj(
    "MemberReceipt",
    user_id=string(),
    delivered_seq=integer(minimum=0),
    read_seq=integer(minimum=0),
    status=optional(nullable(string(choices=[status.value for status in AckStatus]))),
)


@api.route(
    "GET",
    "/v1/unread",
    summary="How many messages, and mentions, I have not read; of muted conversations apart.",
    answer=obj("Unread", **_COUNTS, muted=obj("UnreadMuted", **_COUNTS)),
)
def unread(call: Call) -> JsonObject:
    """The counts above zero."""
    settings = presence.settings()
    views = bootstrap.conversations().all(call.user_id)
    mentions = mentioning.mentions().unread(call.user_id, views)
    loud: dict[str, int] = {}
    muted: dict[str, int] = {}
    for view in views:
        if view.unread_count:
            counts = muted if settings.is_muted(view.settings) else loud
            counts[view.head.id] = view.unread_count
    return {**_totals(loud, mentions), "muted": _totals(muted, mentions)}


@api.route(
    "GET",
    "/v1/conversations/{conversation_id}/receipts",
    summary="How far each other member has come; with seq, who got and who read that message.",
    query={
        "seq": integer(minimum=1, maximum=_MAX_SEQ),
        **paging.PAGE,
    },
    answer=page_of("MemberReceipts", MEMBER_RECEIPT),
    errors=(ConversationNotFoundError, NotMemberError, ForbiddenError),
)
def receipts(call: Call) -> JsonObject:
    """A page of the others in order of their ids."""
    room, seq = call.path["conversation_id"], call.query.get("seq")
    scope = f"receipts {room}"
    rows, position = presence.places().page(
        call.user_id,
        room,
        seq=seq,
        start=paging.decode(scope, call.query.get("cursor")),
        limit=call.query["limit"],
    )
    shown = []
    for row in rows:
        body: JsonObject = {
            "user_id": row.user_id,
            "delivered_seq": row.delivered_seq,
            "read_seq": row.read_seq,
        }
        if seq is not None:
            status = reached(row, seq)
            body["status"] = status.value if status else None
        shown.append(body)
    return paging.page(shown, scope, position)


def _totals(counts: dict[str, int], mentions: dict[str, int]) -> JsonObject:
    return {
        "total": sum(counts.values()),
        "conversations": counts,
        "mentions": sum(mentions.get(key, 0) for key in counts),
    }
