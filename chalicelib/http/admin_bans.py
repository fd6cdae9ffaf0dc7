"""Bans: role admin only."""

from __future__ import annotations

from chalicelib import bootstrap_admin as operators
from chalicelib.errors import SelfError, UserNotFoundError
from chalicelib.http import paging
from chalicelib.http.moments import UNTIL, seconds_of
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    nullable,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.models import Ban, rfc3339

api = Api("admin")

BAN = obj(
    "Ban",
    user_id=string(),
    reason=string(),
    until=nullable(timestamp()),
    banned_by=string(),
    banned_at=timestamp(),
)


@api.route(
    "PUT",
    "/v1/admin/bans/{user_id}",
    summary="Cuts a user off and keeps them out, until a time or for good.",
    role="admin",
    body=obj(
        "NewBan",
        reason=optional(string(max_length=1000)),
        until=optional(UNTIL),
    ),
    body_optional=True,
    answer=BAN,
    errors=(SelfError, UserNotFoundError),
)
def ban(call: Call) -> JsonObject:
    """Bans a user, in place of their earlier ban."""
    until = call.body.get("until")
    return _ban(
        operators.bans().ban(
            call.ctx,
            call.path["user_id"],
            reason=call.body.get("reason", ""),
            until=None if until is None else seconds_of("until", until),
        )
    )


@api.route(
    "DELETE",
    "/v1/admin/bans/{user_id}",
    summary="Lets a user in again; no fault when they are not banned.",
    role="admin",
    status=204,
)
def unban(call: Call) -> None:
    """Ends a ban."""
    operators.bans().unban(call.ctx, call.path["user_id"])


@api.route(
    "GET",
    "/v1/admin/bans",
    summary="The bans that hold, the newest first.",
    role="admin",
    query=paging.PAGE,
    answer=page_of("Bans", BAN),
)
def bans(call: Call) -> JsonObject:
    """One page of the bans."""
    after = paging.decode("bans", call.query.get("cursor"))
    found, position = operators.bans().page(after=after, limit=call.query["limit"])
    return paging.page(map(_ban, found), "bans", position)


def _ban(one: Ban) -> JsonObject:
    return {
        "user_id": one.user_id,
        "reason": one.reason,
        "until": None if one.until is None else rfc3339(one.until),
        "banned_by": one.banned_by,
        "banned_at": rfc3339(one.banned_at),
    }
