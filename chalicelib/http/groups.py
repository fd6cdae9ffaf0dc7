"""Groups as a whole."""

from __future__ import annotations

from typing import Any

from chalicelib import bootstrap
from chalicelib import bootstrap_groups as parts
from chalicelib import bootstrap_messaging as messaging
from chalicelib.errors import (
    BlockedError,
    ForbiddenError,
    GroupNotFoundError,
    NotFoundError,
    NotMemberError,
    NotUploadedError,
    UserNotFoundError,
)
from chalicelib.http.message_schema import ID
from chalicelib.http.moments import UNTIL, seconds_of
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    integer,
    nullable,
    obj,
    optional,
    string,
    timestamp,
)
from chalicelib.http.users import OWN_AVATAR
from chalicelib.models import (
    ConversationMember,
    Group,
    JoinPolicy,
    Role,
    rfc3339,
)

api = Api("groups")

MAX_IDS = 500  # in one request: each change of the store takes 90 of them
NAME = string(min_length=1, max_length=64)
ANNOUNCEMENT = string(max_length=2000)
POLICY = string(
    choices=[policy.value for policy in JoinPolicy],
    description="open: who knows the id joins; approval: asks; invite: needs a link",
)
ROLE = string(choices=[role.value for role in Role])
IDS = array(ID, max_items=MAX_IDS)
GROUP = obj(
    "Group",
    id=string(),
    name=string(),
    avatar=string(),
    announcement=string(),
    owner_id=string(),
    member_count=nullable(integer(minimum=0)),
    join_policy=POLICY,
    muted_until=nullable(timestamp()),
    created_at=string(),
    updated_at=string(),
    role=ROLE,
)
MAY_NOT = (GroupNotFoundError, NotMemberError, ForbiddenError)


def shown(group: Group, role: Role) -> JsonObject:
    """A group as a member with this role sees it."""
    return {
        "id": group.id,
        "name": group.name,
        "avatar": group.avatar,
        "announcement": group.announcement,
        "owner_id": group.owner_id,
        "member_count": group.member_count,
        "join_policy": group.join_policy.value,
        "muted_until": until(group.muted_until),
        "created_at": group.created_at,
        "updated_at": group.updated_at,
        "role": role.value,
    }


def to_member(call: Call, group_id: str) -> JsonObject:
    """The group as the caller sees it now."""
    group, row = parts.groups().get(call.user_id, group_id)
    return shown(group, row.role)


def until(moment: float) -> str | None:
    """The end of a mute, None where there is none."""
    return rfc3339(moment) if moment else None


def moment(text: str | None) -> float:
    """The end of a mute as Unix seconds, 0 for none.

    Raises:
        InvalidFieldError: There is no such time.
    """
    return 0.0 if text is None else seconds_of("muted_until", text)


def member(row: ConversationMember) -> JsonObject:
    """A member as others see them."""
    return {
        "user_id": row.user_id,
        "role": row.role.value,
        "muted_until": until(row.muted_until),
    }


@api.route(
    "POST",
    "/v1/groups",
    summary="Creates a group that I own, with its first members.",
    body=obj(
        "NewGroup",
        name=NAME,
        avatar=optional(OWN_AVATAR),
        announcement=optional(ANNOUNCEMENT),
        join_policy=optional(POLICY),
        member_ids=optional(IDS),
    ),
    status=201,
    answer=GROUP,
    idempotent=True,
    errors=(UserNotFoundError, BlockedError, NotUploadedError),
)
def create(call: Call) -> JsonObject:
    """The group's id is also its conversation's."""
    profile = _profile({key: one for key, one in call.body.items() if key != "member_ids"})
    if _is_upload(profile.get("avatar", "")):
        messaging.attachments().use_as_avatar(call.user_id, profile["avatar"])
    group = parts.groups().create(
        call.ctx,
        call.user_id,
        call.body.get("member_ids", ()),
        unique=call.operation_id,
        profile=profile,
    )
    if _is_upload(group.avatar):
        messaging.refer(group.avatar, group.id)
    return shown(group, Role.OWNER)


@api.route(
    "GET",
    "/v1/groups/{group_id}",
    summary="A group that I am in; everybody is in `world`.",
    answer=GROUP,
    errors=(GroupNotFoundError, NotMemberError),
)
def get(call: Call) -> JsonObject:
    """One group."""
    return to_member(call, call.path["group_id"])


@api.route(
    "PATCH",
    "/v1/groups/{group_id}",
    summary="Changes a group; `muted_until` mutes everybody but owner and admins.",
    body=obj(
        "GroupChange",
        name=optional(NAME),
        avatar=optional(OWN_AVATAR),
        announcement=optional(ANNOUNCEMENT),
        join_policy=optional(POLICY),
        muted_until=optional(UNTIL),
    ),
    answer=GROUP,
    errors=(*MAY_NOT, NotUploadedError),
)
def change(call: Call) -> JsonObject:
    """Owner and admins."""
    group_id = call.path["group_id"]
    replaced = _take_avatar(call, group_id)
    parts.groups().update(call.ctx, call.user_id, group_id, _profile(call.body))
    if replaced:
        bootstrap.outbox().clear_attachments([(replaced, group_id)])
    return to_member(call, group_id)


@api.route(
    "DELETE",
    "/v1/groups/{group_id}",
    summary="Dismisses a group: nobody reads it or writes to it any more.",
    status=204,
    errors=MAY_NOT,
)
def dismiss(call: Call) -> None:
    """The owner."""
    parts.groups().dismiss(call.ctx, call.user_id, call.path["group_id"])


@api.route(
    "POST",
    "/v1/groups/{group_id}/transfer",
    summary="Makes another member the owner; I am an admin then.",
    body=obj("Transfer", user_id=ID),
    answer=GROUP,
    errors=(*MAY_NOT, NotFoundError),
)
def transfer(call: Call) -> JsonObject:
    """The owner."""
    group_id = call.path["group_id"]
    parts.groups().transfer(call.ctx, call.user_id, group_id, call.body["user_id"])
    return to_member(call, group_id)


def _take_avatar(call: Call, group_id: str) -> str:
    """Has the group keep the upload that is to be its avatar; the one that it replaces."""
    if "avatar" not in call.body:
        return ""
    old, new = parts.groups().get(call.user_id, group_id)[0].avatar, call.body["avatar"]
    if old == new:
        return ""  # another admin's upload, as it may be
    if _is_upload(new):
        messaging.attachments().use_as_avatar(call.user_id, new)
        messaging.refer(new, group_id)
    return old if _is_upload(old) else ""


def _is_upload(avatar: str) -> bool:
    return bool(avatar) and "://" not in avatar


def _profile(body: JsonObject) -> dict[str, Any]:
    profile = dict(body)
    if "join_policy" in profile:
        profile["join_policy"] = JoinPolicy(profile["join_policy"])
    if "muted_until" in profile:
        profile["muted_until"] = moment(profile["muted_until"])
    return profile
