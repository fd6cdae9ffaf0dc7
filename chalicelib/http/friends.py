"""Friends and friend requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_people as people
from chalicelib.errors import (
    AlreadyFriendsError,
    AlreadyPendingError,
    BlockedError,
    ConflictError,
    NotFoundError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.http import paging
from chalicelib.http.message_schema import ID
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.http.users import PROFILE, profile
from chalicelib.models import Friend, FriendRequest, RequestStatus

api = Api("friends")

REMARK = string(max_length=64)
FRIEND = obj(
    "Friend", user_id=string(), remark=REMARK, created_at=timestamp(), user=optional(PROFILE)
)
REQUEST = obj(
    "FriendRequest",
    id=string(),
    sender_id=string(),
    receiver_id=string(),
    message=string(),
    status=string(choices=[status.value for status in RequestStatus]),
    created_at=timestamp(),
    updated_at=timestamp(),
    user=optional(PROFILE),
)


def with_profiles(shown: Sequence[tuple[str, JsonObject]]) -> list[JsonObject]:
    """Adds the profile of a user, as ``user``, to each body; without one it stays as it is."""
    found = accounts.users_table().get_many(user_id for user_id, _ in shown)
    return [
        {**body, "user": profile(found[user_id])} if user_id in found else body
        for user_id, body in shown
    ]


def _shown(user_id: str, requests: Sequence[FriendRequest]) -> list[JsonObject]:
    """Requests, each with the profile of the other one."""
    return with_profiles(
        [
            (one.receiver_id if one.sender_id == user_id else one.sender_id, asdict(one))
            for one in requests
        ]
    )


def _friends(friends: Sequence[Friend]) -> list[JsonObject]:
    return with_profiles([(one.user_id, asdict(one)) for one in friends])


@api.route(
    "GET",
    "/v1/friends",
    summary="My friends, in order of their ids.",
    query=paging.PAGE,
    answer=page_of("Friends", FRIEND),
)
def all_friends(call: Call) -> JsonObject:
    """One page of the caller's friends."""
    start = paging.decode("friends", call.query.get("cursor"))
    found, position = people.relations_table().friends(
        call.user_id, start=start, limit=call.query["limit"]
    )
    return paging.page(_friends(found), "friends", position)


@api.route(
    "PATCH",
    "/v1/friends/{user_id}",
    summary="Changes what I call a friend; nobody else sees it.",
    body=obj("FriendChange", remark=REMARK),
    answer=FRIEND,
    errors=(NotFoundError,),
)
def change(call: Call) -> JsonObject:
    """Writes the remark."""
    friend = people.relations_table().set_remark(
        call.user_id, call.path["user_id"], call.body["remark"]
    )
    if friend is None:
        raise NotFoundError("this user is no friend of yours")
    return _friends([friend])[0]


@api.route(
    "DELETE",
    "/v1/friends/{user_id}",
    summary="Ends a friendship, for both; no fault where there is none.",
    status=204,
)
def remove(call: Call) -> None:
    """Ends a friendship."""
    people.friends().remove(call.user_id, call.path["user_id"])


@api.route(
    "GET",
    "/v1/friend-requests",
    summary="Friend requests that I received or sent, the newest first, answered ones for 30 days.",
    query={"direction": string(choices=("received", "sent"), default="received"), **paging.PAGE},
    answer=page_of("FriendRequests", REQUEST),
)
def all_requests(call: Call) -> JsonObject:
    """One page of requests."""
    direction = call.query["direction"]
    scope = f"friend-requests {direction}"
    found, position = people.relations_table().requests(
        call.user_id,
        direction,
        start=paging.decode(scope, call.query.get("cursor")),
        limit=call.query["limit"],
    )
    return paging.page(_shown(call.user_id, found), scope, position)


@api.route(
    "POST",
    "/v1/friend-requests",
    summary="Asks a user to be friends; where they had asked me, we are friends now.",
    body=obj("NewFriendRequest", user_id=ID, message=optional(string(max_length=256))),
    status=201,
    answer=REQUEST,
    idempotent=True,
    errors=(
        SelfError,
        UserNotFoundError,
        BlockedError,
        AlreadyPendingError,
        AlreadyFriendsError,
    ),
)
def ask(call: Call) -> JsonObject:
    """Makes a request."""
    request = people.friends().request(
        call.user_id,
        call.body["user_id"],
        call.body.get("message", ""),
        request_id=call.operation_id,
    )
    return _shown(call.user_id, [request])[0]


@api.route(
    "POST",
    "/v1/friend-requests/{request_id}/accept",
    summary="Accepts a request that I received; again, the answer is the same.",
    answer=REQUEST,
    errors=(NotFoundError, ConflictError),
)
def accept(call: Call) -> JsonObject:
    """Makes the two friends."""
    request = people.friends().accept(call.user_id, call.path["request_id"])
    return _shown(call.user_id, [request])[0]


@api.route(
    "POST",
    "/v1/friend-requests/{request_id}/reject",
    summary="Rejects a request that I received; again, the answer is the same.",
    answer=REQUEST,
    errors=(NotFoundError, ConflictError),
)
def reject(call: Call) -> JsonObject:
    """Answers no; they may ask again."""
    request = people.friends().reject(call.user_id, call.path["request_id"])
    return _shown(call.user_id, [request])[0]
