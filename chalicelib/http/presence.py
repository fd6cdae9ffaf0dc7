"""Who is there."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib import bootstrap_presence
from chalicelib.errors import UserNotFoundError
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    nullable,
    obj,
    required,
    string,
    timestamp,
)
from chalicelib.models import Presence, PresenceStatus

api = Api("presence")

_MAX_USERS = 100
_USER_IDS = string(
    pattern=rf",*[^,]+(,+[^,]+){{0,{_MAX_USERS - 1}}},*",
    description=f"1 to {_MAX_USERS} ids, separated by commas",
)
PRESENCE = obj(
    "Presence",
    user_id=string(),
    status=string(choices=[status.value for status in PresenceStatus]),
    last_seen=nullable(timestamp()),
)


def _shown(presence: Presence) -> JsonObject:
    return {**asdict(presence), "status": presence.status.value}


@api.route(
    "GET",
    "/v1/users/{user_id}/presence",
    summary="Whether a user is there, and when they were last seen, as far as I may know.",
    answer=PRESENCE,
    errors=(UserNotFoundError,),
)
def presence(call: Call) -> JsonObject:
    """One user's presence."""
    found = bootstrap_presence.presence_views().of(call.user_id, [call.path["user_id"]])
    if not found:
        raise UserNotFoundError
    return _shown(found[0])


@api.route(
    "GET",
    "/v1/presence",
    summary="The same of several users; who does not exist is left out.",
    query={"user_ids": required(_USER_IDS)},
    answer=obj("Presences", items=array(PRESENCE)),
)
def presences(call: Call) -> JsonObject:
    """Several users' presence, for a list that is shown."""
    wanted = [one for one in call.query["user_ids"].split(",") if one]
    found = bootstrap_presence.presence_views().of(call.user_id, wanted)
    return {"items": [_shown(one) for one in found]}
