"""Server to server: an operator that has the accounts keeps them here up to date.

Authentication is a provisioning key, ``Authorization: Bearer lk_…``.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib import bootstrap_groups as groups
from chalicelib import bootstrap_identity as identity
from chalicelib.errors import GroupNotFoundError, IMError, UserNotFoundError
from chalicelib.http.groups import NAME
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    Schema,
    array,
    boolean,
    nullable,
    obj,
    optional,
    string,
)
from chalicelib.http.users import AVATAR, NICKNAME, USERNAME
from chalicelib.logic.identities import MAX_SUBJECT_CHARACTERS
from chalicelib.logic.provisioned_groups import ProvisionedGroup
from chalicelib.logic.provisioning import Outcome, ProvisionedUser
from chalicelib.logic.provisioning_keys import ROLE

api = Api("provisioning")

MAX_BATCH = 100
MAX_GROUPS = 10  # each with two batches of users
EXTERNAL_ID = string(
    min_length=1, max_length=MAX_SUBJECT_CHARACTERS, description="the user's id at the issuer"
)
ERROR = nullable(obj("ProvisioningError", code=string(), message=string()))
OUTCOME = obj("ProvisioningOutcome", user_id=nullable(string()), created=boolean(), error=ERROR)
GROUP_OUTCOME = obj(
    "GroupProvisioningOutcome", group_id=nullable(string()), created=boolean(), error=ERROR
)
OUTCOMES = obj("ProvisioningOutcomes", items=array(OUTCOME))


def _batch(items: Schema) -> Schema:
    return array(items, min_items=1, max_items=MAX_BATCH)


@api.route(
    "PUT",
    "/v1/provisioning/users",
    summary="Makes accounts or brings them up to date, up to 100; an outcome for each, in order.",
    role=ROLE,
    body=obj(
        "ProvisionedUsers",
        users=_batch(
            obj(
                "ProvisionedUser",
                external_id=EXTERNAL_ID,
                username=optional(USERNAME),
                nickname=optional(NICKNAME),
                avatar=optional(AVATAR),
                disabled=optional(boolean()),
            )
        ),
    ),
    answer=OUTCOMES,
)
def put_users(call: Call) -> JsonObject:
    """Upserts users by their external ids."""
    users = [ProvisionedUser(**one) for one in call.body["users"]]
    return _shown("user_id", identity.provisioning().put_users(call.ctx, users))


@api.route(
    "DELETE",
    "/v1/provisioning/users/{external_id}",
    summary="Disables an account: it is cut off and kept out; what it wrote stays.",
    role=ROLE,
    status=204,
    errors=(UserNotFoundError,),
)
def disable_user(call: Call) -> None:
    """The same as ``disabled`` in a batch, which also takes ids that fit into no path."""
    identity.provisioning().disable(call.ctx, call.path["external_id"])


@api.route(
    "PUT",
    "/v1/provisioning/friends",
    summary="Makes pairs of users friends, up to 100; an outcome for each, in order.",
    role=ROLE,
    body=obj(
        "ProvisionedFriends",
        pairs=_batch(
            obj("ProvisionedPair", external_ids=array(EXTERNAL_ID, min_items=2, max_items=2))
        ),
    ),
    answer=OUTCOMES,
)
def put_friends(call: Call) -> JsonObject:
    """Makes friends."""
    pairs = [(one["external_ids"][0], one["external_ids"][1]) for one in call.body["pairs"]]
    return _shown("user_id", identity.provisioning().put_friends(call.ctx, pairs))


@api.route(
    "PUT",
    "/v1/provisioning/groups",
    summary="Makes groups or brings them up to date, up to 10; an outcome for each, in order.",
    role=ROLE,
    body=obj(
        "ProvisionedGroups",
        groups=array(
            obj(
                "ProvisionedGroup",
                external_id=string(
                    min_length=1,
                    max_length=MAX_SUBJECT_CHARACTERS,
                    description="the group's id at the operator's server",
                ),
                owner=EXTERNAL_ID,
                name=NAME,
                avatar=optional(AVATAR),
                add=optional(array(EXTERNAL_ID, max_items=MAX_BATCH)),
                remove=optional(array(EXTERNAL_ID, max_items=MAX_BATCH)),
            ),
            min_items=1,
            max_items=MAX_GROUPS,
        ),
    ),
    answer=obj("GroupProvisioningOutcomes", items=array(GROUP_OUTCOME)),
)
def put_groups(call: Call) -> JsonObject:
    """Upserts groups by their external ids; larger ones get their members in several calls."""
    wanted = [ProvisionedGroup(**one) for one in call.body["groups"]]
    return _shown("group_id", groups.provisioned_groups().put(call.ctx, wanted))


@api.route(
    "DELETE",
    "/v1/provisioning/groups/{external_id}",
    summary="Dismisses a group, for good.",
    role=ROLE,
    status=204,
    errors=(GroupNotFoundError,),
)
def dismiss_group(call: Call) -> None:
    """No fault where it is over."""
    groups.provisioned_groups().dismiss(call.ctx, call.path["external_id"])


def _shown(member: str, outcomes: Iterable[Outcome]) -> JsonObject:
    return {
        "items": [
            {member: one.id or None, "created": one.created, "error": _fault(one.error)}
            for one in outcomes
        ]
    }


def _fault(error: IMError | None) -> JsonObject | None:
    return {"code": error.code, "message": str(error)} if error else None
