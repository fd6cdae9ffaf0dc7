"""Profiles: one's own, others', and search."""

from __future__ import annotations

from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import UserNotFoundError
from chalicelib.http import paging
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    obj,
    optional,
    page_of,
    required,
    string,
    timestamp,
)
from chalicelib.models import User, rfc3339

api = Api("users")

USERNAME = string(
    min_length=3,
    max_length=32,
    pattern=r"[A-Za-z0-9_.-]+",
    description="letters a-z, digits, _ . and -",
)
NICKNAME = string(max_length=64)
AVATAR = string(
    max_length=512, pattern=r"(https?://\S+)?", description="an http or https URL, or nothing"
)
SIGNATURE = string(max_length=256)
GENDER = string(choices=("", "female", "male", "other"))

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
USER = obj("User", **_PROFILE, roles=array(string()), updated_at=timestamp())


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
        avatar=optional(AVATAR),
        signature=optional(SIGNATURE),
        gender=optional(GENDER),
    ),
    answer=USER,
    errors=(UserNotFoundError,),
)
def change_me(call: Call) -> JsonObject:
    """Changes the members that are given."""
    return own(accounts.users().update(call.user_id, call.body))


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
        "limit": paging.LIMIT,
        "cursor": paging.CURSOR,
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
