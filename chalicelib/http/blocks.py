"""Whom the caller has blocked."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib import bootstrap_people as people
from chalicelib.errors import SelfError, UserNotFoundError
from chalicelib.http import paging
from chalicelib.http.friends import with_profiles
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import JsonObject, obj, optional, page_of, string, timestamp
from chalicelib.http.users import PROFILE

api = Api("blocks")

BLOCK = obj("Block", user_id=string(), created_at=timestamp(), user=optional(PROFILE))


@api.route(
    "GET",
    "/v1/blocks",
    summary="Whom I have blocked, in order of their ids.",
    query=paging.PAGE,
    answer=page_of("Blocks", BLOCK),
)
def all_blocks(call: Call) -> JsonObject:
    """One page of the caller's blocks."""
    start = paging.decode("blocks", call.query.get("cursor"))
    found, position = people.relations_table().blocks(
        call.user_id, start=start, limit=call.query["limit"]
    )
    shown = with_profiles([(one.user_id, asdict(one)) for one in found])
    return paging.page(shown, "blocks", position)


@api.route(
    "PUT",
    "/v1/blocks/{user_id}",
    summary="Blocks a user: their messages to me and their friend requests are refused.",
    status=204,
    errors=(SelfError, UserNotFoundError),
)
def block(call: Call) -> None:
    """Blocks; again, nothing changes."""
    people.blocks().block(call.user_id, call.path["user_id"])


@api.route(
    "DELETE",
    "/v1/blocks/{user_id}",
    summary="Ends a block; no fault where there is none.",
    status=204,
)
def unblock(call: Call) -> None:
    """Unblocks."""
    people.blocks().unblock(call.user_id, call.path["user_id"])
