"""Profiles: one's own, others', and search."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_messaging as messaging
from chalicelib.errors import NotUploadedError, UserNotFoundError
from chalicelib.http import paging
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    BLANK,
    JsonObject,
    array,
    obj,
    optional,
    page_of,
    required,
    string,
    timestamp,
)
from chalicelib.models import ShowPresence, User, rfc3339

api = Api("users")

USERNAME = string(
    min_length=3,
    max_length=32,
    pattern=r"[A-Za-z0-9_.-]+",
    description="letters a-z, digits, _ . and -",
)
NICKNAME = string(max_length=64)
AVATAR = string(
    max_length=512,
    pattern=rf"(https?://[^{BLANK}]+)?",
    description="an http or https URL, or nothing",
)
OWN_AVATAR = string(
    max_length=512,
    pattern=rf"(https?://[^{BLANK}]+|[a-z0-9]{{1,64}})?",
    description="an http or https URL, the id of an attachment, or nothing",
)
SIGNATURE = string(max_length=256)
EMAIL = string(
    max_length=254,
    pattern=rf"([^{BLANK}@<>]+@[^{BLANK}@<>]+)?",
    description="an e-mail address, or nothing",
)
GENDER = string(choices=("", "female", "male", "other"))
SHOW_PRESENCE = string(
    choices=[one.value for one in ShowPresence], description="who may see whether I am there"
)

_PROFILE = {
    "id": string(),
    "username": string(),
    "nickname": string(),
    "avatar": string(),
    "signature": string(),
    "gender": GENDER,
    "created_at": timestamp(),
}
PROFILE = obj("Profile", **_PROFILE)
USER = obj(
    "User",
    **_PROFILE,
    roles=array(string()),
    email=string(),
    show_presence=SHOW_PRESENCE,
    updated_at=timestamp(),
)


def profile(user: User) -> JsonObject:
    """A user as others see them."""
    return {
        "id": user.id,
        "username": user.username,
        "nickname": user.nickname,
        "avatar": user.avatar,
        "signature": user.signature,
        "gender": user.gender,
        "created_at": rfc3339(user.created_at.timestamp()),
    }


def own(user: User) -> JsonObject:
    """A user as they see themselves."""
    return {
        **profile(user),
        "roles": list(user.roles),
        "email": user.email,
        "show_presence": bootstrap.presence().shows_to(user.id).value,
        "updated_at": rfc3339(user.updated_at.timestamp()),
    }


@api.route("GET", "/v1/users/me", summary="My profile.", answer=USER, errors=(UserNotFoundError,))
def me(call: Call) -> JsonObject:
    """The caller's own profile."""
    return own(accounts.users().get(call.user_id))


@api.route(
    "PATCH",
    "/v1/users/me",
    summary="Changes my profile.",
    body=obj(
        "ProfileChange",
        nickname=optional(NICKNAME),
        avatar=optional(OWN_AVATAR),
        signature=optional(SIGNATURE),
        gender=optional(GENDER),
        show_presence=optional(SHOW_PRESENCE),
    ),
    answer=USER,
    errors=(UserNotFoundError, NotUploadedError),
)
def change_me(call: Call) -> JsonObject:
    """Changes the members that are given."""
    changes = dict(call.body)
    avatar = changes.get("avatar", "")
    if avatar and "://" not in avatar:
        messaging.attachments().use_as_avatar(call.user_id, avatar)
    if "show_presence" in changes:
        bootstrap.presence().show_to(call.user_id, ShowPresence(changes.pop("show_presence")))
    return own(accounts.users().update(call.user_id, changes))


@api.route(
    "GET",
    "/v1/users/{user_id}",
    summary="A user's profile.",
    answer=PROFILE,
    errors=(UserNotFoundError,),
)
def get(call: Call) -> JsonObject:
    """Anybody's profile."""
    return profile(accounts.users().get(call.path["user_id"]))


@api.route(
    "GET",
    "/v1/users",
    summary="Users by the beginning of their names, whatever its case, in order of their names.",
    query={
        "query": required(string(min_length=1, max_length=32)),
        **paging.PAGE,
    },
    answer=page_of("Profiles", PROFILE),
)
def search(call: Call) -> JsonObject:
    """One page of the users found."""
    query = call.query["query"]
    scope = f"users {query}"
    after = paging.decode(scope, call.query.get("cursor")) or ""
    found, position = accounts.users().search(query, after=after, limit=call.query["limit"])
    return paging.page(map(profile, found), scope, position)
