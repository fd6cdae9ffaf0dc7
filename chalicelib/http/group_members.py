"""The members of groups."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_groups as parts
from chalicelib.errors import (
    BlockedError,
    GroupFullError,
    NotFoundError,
    OwnerMustTransferError,
    UserNotFoundError,
)
from chalicelib.http import paging
from chalicelib.http.friends import with_profiles
from chalicelib.http.groups import GROUP, IDS, MAY_NOT, ROLE, member, moment, to_member
from chalicelib.http.moments import UNTIL
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
from chalicelib.http.users import PROFILE
from chalicelib.models import WORLD, ConversationMember, Role

api = Api("group members")

MEMBER = obj(
    "Member",
    user_id=string(),
    role=ROLE,
    muted_until=nullable(timestamp()),
    user=optional(PROFILE),
)


def _shown(rows: Iterable[ConversationMember]) -> list[JsonObject]:
    return with_profiles([(row.user_id, member(row)) for row in rows])


@api.route(
    "GET",
    "/v1/groups/{group_id}/members",
    summary="The members in order of their ids; of `world`, all users in order of their names.",
    query=paging.PAGE,
    answer=page_of("Members", MEMBER),
    errors=MAY_NOT,
)
def page(call: Call) -> JsonObject:
    """For members."""
    group_id, limit = call.path["group_id"], call.query["limit"]
    parts.groups().get(call.user_id, group_id)
    scope = f"members {group_id}"
    start = paging.decode(scope, call.query.get("cursor"))
    if group_id == WORLD:
        users, position = accounts.users().everybody(after=start, limit=limit)
        rows = [ConversationMember(conversation_id=WORLD, user_id=user.id) for user in users]
    else:
        rows, position = bootstrap.members_table().page(group_id, start=start, limit=limit)
    return paging.page(_shown(rows), scope, position)


@api.route(
    "POST",
    "/v1/groups/{group_id}/members",
    summary="Adds members; who is one already stays as they are.",
    body=obj("NewMembers", user_ids=IDS),
    answer=GROUP,
    idempotent=True,
    errors=(*MAY_NOT, UserNotFoundError, BlockedError, GroupFullError),
)
def add(call: Call) -> JsonObject:
    """Owner and admins; in an open group every member."""
    group_id = call.path["group_id"]
    parts.group_members().add(call.ctx, call.user_id, group_id, call.body["user_ids"])
    return to_member(call, group_id)


@api.route(
    "PATCH",
    "/v1/groups/{group_id}/members/{user_id}",
    summary="Gives a member another role, or mutes them until a time (null: no longer).",
    body=obj(
        "MemberChange",
        role=optional(string(choices=[Role.ADMIN.value, Role.MEMBER.value])),
        muted_until=optional(UNTIL),
    ),
    answer=MEMBER,
    errors=(*MAY_NOT, NotFoundError),
)
def change(call: Call) -> JsonObject:
    """Roles: the owner. Mutes: whoever stands above the member."""
    body = call.body
    row = parts.group_members().update(
        call.ctx,
        call.user_id,
        call.path["group_id"],
        call.path["user_id"],
        role=Role(body["role"]) if "role" in body else None,
        muted_until=moment(body["muted_until"]) if "muted_until" in body else None,
    )
    return _shown([row])[0]


@api.route(
    "DELETE",
    "/v1/groups/{group_id}/members/{user_id}",
    summary="Removes a member, who can read the group no more; no fault where they are none.",
    status=204,
    errors=(*MAY_NOT, OwnerMustTransferError),
)
def remove(call: Call) -> None:
    """Whoever stands above the member; oneself is leaving."""
    path = call.path
    parts.group_members().remove(call.ctx, call.user_id, path["group_id"], path["user_id"])


@api.route(
    "POST",
    "/v1/groups/{group_id}/leave",
    summary="Leaves a group; no fault for who is not in it.",
    status=204,
    errors=(*MAY_NOT, OwnerMustTransferError),
)
def leave(call: Call) -> None:
    """Everybody but the owner."""
    parts.group_members().leave(call.ctx, call.user_id, call.path["group_id"])
