"""The provisioning API, as a server sees it that has the accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import UnauthorizedError, UnavailableError
from chalicelib.logic.provisioning import Callers
from chalicelib.logic.provisioning_keys import digest_of
from chalicelib.models import Ban
from tests.fakes_identity import ISSUER
from tests.rest import Reply, Rest, assert_problem
from tests.unit.operators import Desk

KEYS = "/lambchat/unit/auth/provisioning-keys"
USERS = "/v1/provisioning/users"
FRIENDS = "/v1/provisioning/friends"


@pytest.fixture
def desk(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    keys = [("k1", ISSUER), ("k2", "https://other.example")]
    rest.centre.values[KEYS] = json.dumps(
        {
            "keys": [
                {
                    "id": one,
                    "name": "",
                    "issuer": issuer,
                    "digest": digest_of(one),
                    "created_at": "",
                }
                for one, issuer in keys
            ]
        }
    )
    return Desk(rest, monkeypatch)


def put(rest: Rest, *users: dict[str, Any], key: str = "k1") -> list[Any]:
    reply = rest.call("PUT", USERS, token=f"lk_{key}_{key}", body={"users": list(users)})
    assert reply.status == 200, reply.text
    items: list[Any] = reply.body["items"]
    return items


def befriend(rest: Rest, *pairs: list[str], key: str = "k1") -> list[Any]:
    body = {"pairs": [{"external_ids": pair} for pair in pairs]}
    reply = rest.call("PUT", FRIENDS, token=f"lk_{key}_{key}", body=body)
    assert reply.status == 200, reply.text
    items: list[Any] = reply.body["items"]
    return items


def disable(rest: Rest, external_id: str) -> Reply:
    return rest.call("DELETE", f"{USERS}/{external_id}", token="lk_k1_k1")


@pytest.mark.req("APP-1")
def test_users_are_made_once_however_often_they_are_put(desk: Desk) -> None:
    ann = {"external_id": "a-1", "username": "ann", "nickname": "Ann", "avatar": "https://a/b"}

    (first,) = put(desk.rest, ann)
    (again,) = put(desk.rest, ann)

    assert first["created"]
    assert again == {"user_id": first["user_id"], "created": False, "error": None}
    (user,) = desk.rest.users.rows.values()
    assert (user.username, user.nickname, user.avatar) == ("ann", "Ann", "https://a/b")


def test_profiles_are_brought_up_to_date_where_something_is_said(desk: Desk) -> None:
    put(desk.rest, {"external_id": "a-1", "username": "ann", "nickname": "Ann", "avatar": ""})
    (before,) = desk.rest.users.rows.values()
    desk.rest.clock.now += 60

    put(desk.rest, {"external_id": "a-1", "nickname": "Ann"})
    assert list(desk.rest.users.rows.values()) == [before], "nothing is written without a change"

    put(desk.rest, {"external_id": "a-1", "nickname": ""})
    (after,) = desk.rest.users.rows.values()
    assert (after.username, after.nickname) == ("ann", "")


def test_one_entry_s_fault_does_not_stop_the_others(desk: Desk) -> None:
    desk.rest.register("taken")

    taken, fine = put(
        desk.rest,
        {"external_id": "a-1", "username": "Taken"},
        {"external_id": "a-2@corp.example"},
    )

    assert taken["user_id"] is None
    assert taken["error"]["code"] == "username_taken"
    assert desk.rest.users.rows[fine["user_id"]].username == "a-2"
    (mended,) = put(desk.rest, {"external_id": "a-1", "username": "not-taken"})
    assert mended["created"]


def test_each_key_has_the_users_of_its_issuer(desk: Desk) -> None:
    (mine,) = put(desk.rest, {"external_id": "a-1"})
    (theirs,) = put(desk.rest, {"external_id": "a-1"}, key="k2")

    assert mine["user_id"] != theirs["user_id"]
    (refused,) = befriend(desk.rest, ["a-1", "a-2"], key="k2")
    assert refused["error"]["code"] == "user_not_found"


@pytest.mark.req("APP-16")
def test_a_disabled_user_is_cut_off_and_kept_out_until_enabled(desk: Desk) -> None:
    (one,) = put(desk.rest, {"external_id": "a-1"})
    user_id = one["user_id"]

    assert [disable(desk.rest, "a-1").status for _ in range(2)] == [204, 204]

    assert desk.rest.presence.closed == [(user_id, None)]
    ban = desk.rest.bans.get(user_id)
    assert ban is not None
    assert ban.banned_by == "key:k1"
    put(desk.rest, {"external_id": "a-1", "disabled": False})
    assert desk.rest.bans.get(user_id) is None
    put(desk.rest, {"external_id": "a-1", "disabled": True})
    assert desk.rest.bans.get(user_id) is not None
    actions = [(entry.actor, entry.action) for entry in desk.entries.rows.values()]
    assert actions == [("key:k1", "ban"), ("key:k1", "unban"), ("key:k1", "ban")]


def test_an_operator_s_ban_is_neither_replaced_nor_lifted(desk: Desk) -> None:
    (one,) = put(desk.rest, {"external_id": "a-1"})
    ban = Ban(user_id=one["user_id"], banned_by="uadmin", banned_at=1.0, reason="spam")
    desk.rest.bans.put(ban)

    disable(desk.rest, "a-1")
    put(desk.rest, {"external_id": "a-1", "disabled": False})

    assert desk.rest.bans.get(one["user_id"]) == ban


def test_who_is_unknown_cannot_be_disabled(desk: Desk) -> None:
    assert_problem(disable(desk.rest, "nobody"), 404, "user_not_found")


@pytest.mark.req("APP-4")
def test_pairs_become_friends_once_and_both_are_told(desk: Desk) -> None:
    ann, bob = (
        one["user_id"] for one in put(desk.rest, {"external_id": "a"}, {"external_id": "b"})
    )

    first, again = (befriend(desk.rest, pair)[0] for pair in (["a", "b"], ["b", "a"]))

    assert (first["created"], again["created"]) == (True, False)
    assert desk.rest.relations.get(ann, bob).friends
    assert desk.rest.notices.told == [
        (ann, "friend.added", {"user_id": bob}),
        (bob, "friend.added", {"user_id": ann}),
    ]


def test_a_block_between_two_stays(desk: Desk) -> None:
    ann, bob = (
        one["user_id"] for one in put(desk.rest, {"external_id": "a"}, {"external_id": "b"})
    )
    from chalicelib import bootstrap_people as people

    people.blocks().block(ann, bob)

    blocked, alone, unknown = befriend(desk.rest, ["a", "b"], ["a", "a"], ["a", "c"])

    codes = [one["error"]["code"] for one in (blocked, alone, unknown)]
    assert codes == ["blocked", "self", "user_not_found"]
    assert not desk.rest.relations.get(ann, bob).friends


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (USERS, {"users": []}, "users"),
        (USERS, {"users": [{"external_id": "a"}] * 101}, "users"),
        (USERS, {"users": [{}]}, "users.0.external_id"),
        (USERS, {"users": [{"external_id": "a", "roles": ["admin"]}]}, "users.0.roles"),
        (USERS, {"users": [{"external_id": "a", "username": "x"}]}, "users.0.username"),
        (FRIENDS, {"pairs": [{"external_ids": ["a"]}]}, "pairs.0.external_ids"),
        (FRIENDS, {}, "pairs"),
    ],
)
def test_a_wrong_batch_is_refused_whole(
    desk: Desk, path: str, body: dict[str, Any], field: str
) -> None:
    refused = desk.rest.call("PUT", path, token="lk_k1_k1", body=body)

    assert_problem(refused, 422, "invalid_field", field)
    assert desk.rest.users.rows == {}


@pytest.mark.req("APP-17")
def test_only_a_key_provisions_and_a_key_does_nothing_else(desk: Desk) -> None:
    ann = desk.rest.signed_in("ann")["access_token"]
    body = {"users": [{"external_id": "a"}]}

    assert desk.rest.call("PUT", USERS, body=body).status == 401
    assert desk.rest.call("PUT", USERS, token="lk_k1_wrong", body=body).status == 401
    assert_problem(desk.rest.call("PUT", USERS, token=ann, body=body), 403, "forbidden")
    for path in ("/v1/users/me", "/v1/admin/bans", "/v1/friends"):
        assert_problem(desk.rest.call("GET", path, token="lk_k1_k1"), 401, "unauthorized")


def test_a_store_that_is_away_stops_the_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise UnavailableError("away")

    monkeypatch.setattr(desk.rest.identities, "get", away)
    body = {"users": [{"external_id": "a"}]}

    refused = desk.rest.call("PUT", USERS, token="lk_k1_k1", body=body)

    assert_problem(refused, 503, "unavailable")


def test_nobody_in_particular_provisions_nothing() -> None:
    callers = Callers.__new__(Callers)

    with pytest.raises(UnauthorizedError):
        callers.issuer(Context())
