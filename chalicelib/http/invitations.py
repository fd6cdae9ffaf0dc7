"""Ways into a group: joining, requests to join, invite links."""

from __future__ import annotations

import time
from dataclasses import asdict

from chalicelib import bootstrap_groups as parts
from chalicelib.errors import (
    ForbiddenError,
    GroupFullError,
    GroupNotFoundError,
    InviteExpiredError,
    NotFoundError,
    UserNotFoundError,
)
from chalicelib.http import paging
from chalicelib.http.friends import with_profiles
from chalicelib.http.groups import GROUP, MAY_NOT, to_member
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import (
    JsonObject,
    integer,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.http.users import PROFILE
from chalicelib.models import InviteLink, JoinRequest, rfc3339

api = Api("invitations")

_WEEK_SECONDS = 7 * 24 * 3600
_YEAR_SECONDS = 365 * 24 * 3600
REQUEST = obj(
    "JoinRequest",
    group_id=string(),
    user_id=string(),
    message=string(),
    created_at=timestamp(),
    user=optional(PROFILE),
)
LINK = obj(
    "InviteLink",
    id=string(),
    group_id=string(),
    token=string(),
    created_by=string(),
    created_at=timestamp(),
    expires_at=timestamp(),
    max_uses=integer(minimum=0),
    uses=integer(minimum=0),
)


def _link(link: InviteLink) -> JsonObject:
    return {**asdict(link), "token": link.token, "expires_at": rfc3339(link.expires_at)}


@api.route(
    "POST",
    "/v1/groups/{group_id}/join",
    summary="Joins an open group (200), or asks to join one that wants to approve it (202).",
    body=obj("Join", message=optional(string(max_length=256))),
    body_optional=True,
    other_statuses=(202,),
    answer={"anyOf": [GROUP, REQUEST]},
    errors=(GroupNotFoundError, ForbiddenError, GroupFullError),
)
def join(call: Call) -> Answer:
    """Anybody; who is a member already stays one."""
    group_id = call.path["group_id"]
    result = parts.invitations().join(
        call.ctx, call.user_id, group_id, call.body.get("message", "")
    )
    if isinstance(result, JoinRequest):
        return Answer(body=asdict(result), status=202)
    return Answer(body=to_member(call, group_id))


@api.route(
    "GET",
    "/v1/groups/{group_id}/join-requests",
    summary="Who wants to join, in order of their ids.",
    query=paging.PAGE,
    answer=page_of("JoinRequests", REQUEST),
    errors=MAY_NOT,
)
def requests(call: Call) -> JsonObject:
    """Owner and admins."""
    group_id = call.path["group_id"]
    scope = f"join-requests {group_id}"
    start = paging.decode(scope, call.query.get("cursor"))
    found, position = parts.invitations().requests(
        call.user_id, group_id, start=start, limit=call.query["limit"]
    )
    shown = with_profiles([(one.user_id, asdict(one)) for one in found])
    return paging.page(shown, scope, position)


@api.route(
    "POST",
    "/v1/groups/{group_id}/join-requests/{user_id}/accept",
    summary="Lets somebody in who asked; no fault where they are in already.",
    answer=GROUP,
    errors=(*MAY_NOT, NotFoundError, UserNotFoundError, GroupFullError),
)
def accept(call: Call) -> JsonObject:
    """Owner and admins."""
    group_id = call.path["group_id"]
    parts.invitations().accept(call.ctx, call.user_id, group_id, call.path["user_id"])
    return to_member(call, group_id)


@api.route(
    "POST",
    "/v1/groups/{group_id}/join-requests/{user_id}/reject",
    summary="Removes a request to join; no fault where there is none.",
    status=204,
    errors=MAY_NOT,
)
def reject(call: Call) -> None:
    """Owner and admins."""
    parts.invitations().reject(call.user_id, call.path["group_id"], call.path["user_id"])


@api.route(
    "POST",
    "/v1/groups/{group_id}/invite-links",
    summary="Makes a link that lets people in, whatever the join policy says.",
    body=obj(
        "NewInviteLink",
        expires_in=optional(integer(minimum=1, maximum=_YEAR_SECONDS)),
        max_uses=optional(integer(minimum=0, maximum=1_000_000)),
    ),
    body_optional=True,
    status=201,
    answer=LINK,
    idempotent=True,
    errors=MAY_NOT,
)
def make_link(call: Call) -> JsonObject:
    """Owner and admins; `expires_in` are seconds, a week where it is not said; 0 uses: any."""
    now = time.time()
    link = InviteLink(
        id=call.operation_id,
        group_id=call.path["group_id"],
        created_by=call.user_id,
        created_at=rfc3339(now),
        expires_at=now + call.body.get("expires_in", _WEEK_SECONDS),
        max_uses=call.body.get("max_uses", 0),
    )
    return _link(parts.invitations().make_link(call.user_id, link))


@api.route(
    "GET",
    "/v1/groups/{group_id}/invite-links",
    summary="The invite links of a group, expired ones until they are removed.",
    query=paging.PAGE,
    answer=page_of("InviteLinks", LINK),
    errors=MAY_NOT,
)
def links(call: Call) -> JsonObject:
    """Owner and admins."""
    group_id = call.path["group_id"]
    scope = f"invite-links {group_id}"
    start = paging.decode(scope, call.query.get("cursor"))
    found, position = parts.invitations().links(
        call.user_id, group_id, start=start, limit=call.query["limit"]
    )
    return paging.page(map(_link, found), scope, position)


@api.route(
    "DELETE",
    "/v1/groups/{group_id}/invite-links/{link_id}",
    summary="Revokes an invite link; no fault where there is none.",
    status=204,
    errors=MAY_NOT,
)
def revoke(call: Call) -> None:
    """Owner and admins."""
    parts.invitations().revoke(call.user_id, call.path["group_id"], call.path["link_id"])


@api.route(
    "POST",
    "/v1/groups/join-by-link",
    summary="Joins the group of an invite link; a member uses it up no further.",
    body=obj("JoinByLink", token=string(min_length=1, max_length=128)),
    answer=GROUP,
    errors=(InviteExpiredError, GroupNotFoundError, GroupFullError),
)
def join_by_link(call: Call) -> JsonObject:
    """Anybody who has the link."""
    group = parts.invitations().join_by_link(call.ctx, call.user_id, call.body["token"])
    return to_member(call, group.id)
