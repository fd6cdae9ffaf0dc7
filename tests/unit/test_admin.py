"""The REST API for operators."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import bootstrap_accounts as accounts
from tests.fakes_admin import letter
from tests.rest import PASSWORD, Reply, Rest, assert_problem
from tests.unit import operators

ROUTES = [
    ("PUT", "/v1/admin/bans/u1", {}),
    ("DELETE", "/v1/admin/bans/u1", None),
    ("GET", "/v1/admin/bans", None),
    ("POST", "/v1/admin/broadcasts", {"content": "x"}),
    ("GET", "/v1/admin/dead-letters", None),
    ("POST", "/v1/admin/dead-letters/TASKS-3-9/replay", None),
    ("GET", "/v1/admin/audit-log", None),
]


class Desk:
    """A signed-in administrator, and what is behind the API."""

    def __init__(self, behind: operators.Desk) -> None:
        self.rest, self.entries = behind.rest, behind.entries
        self.outbox, self.letters = behind.outbox, behind.letters
        accounts.auth().ensure_admin(PASSWORD)
        self.token = self.rest.login("admin")["access_token"]

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return self.rest.call(method, f"/v1/admin/{path}", token=self.token, body=body, **more)


@pytest.fixture
def desk(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(operators.Desk(rest, monkeypatch))


@pytest.mark.req("APP-16")
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_only_administrators_may(desk: Desk, method: str, path: str, body: Any) -> None:
    user = desk.rest.signed_in("ann")

    refused = desk.rest.call(method, path, token=user["access_token"], body=body)

    assert_problem(refused, 403, "forbidden")
    wrong = desk.rest.call(method, path, token=user["access_token"], body={"no": 1})
    assert_problem(wrong, 403, "forbidden")
    assert_problem(desk.rest.call(method, path, body=body), 401, "unauthorized")
    assert desk.entries.rows == {}
    assert desk.outbox.notices == []


@pytest.mark.req("APP-16")
def test_a_ban_keeps_a_user_out_and_its_end_lets_them_in(desk: Desk) -> None:
    ann = desk.rest.signed_in("ann")
    credentials = {"username": "ann", "password": PASSWORD}
    path = f"bans/{ann['user']['id']}"

    banned = desk.call("PUT", path, {"reason": "spam", "until": "2027-01-16T00:00:00+01:00"})

    assert banned.status == 200, banned.text
    assert {**banned.body, "banned_by": ""} == {
        "user_id": ann["user"]["id"],
        "reason": "spam",
        "until": "2027-01-15T23:00:00.000Z",
        "banned_by": "",
        "banned_at": "2027-01-15T08:00:00.000Z",
    }
    assert desk.rest.call("GET", "/v1/users/me", token=ann["access_token"]).status == 401
    assert_problem(desk.rest.call("POST", "/v1/auth/login", body=credentials), 403, "banned")
    spent = {"refresh_token": ann["refresh_token"]}
    assert desk.rest.call("POST", "/v1/auth/refresh", body=spent).status == 401
    for _ in range(2):
        assert desk.call("DELETE", path).status == 204
    assert desk.rest.login("ann")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"until": "tomorrow"}, "until"),
        ({"until": "2027-02-30T00:00:00Z"}, "until"),
        ({"until": "2027-02-01T00:00:00"}, "until"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "until"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": 5}, "until"),
        ({"reason": "x" * 1001}, "reason"),
        ({"by": "me"}, "by"),
    ],
)
def test_a_wrong_ban_is_refused(desk: Desk, body: Any, field: str) -> None:
    ann = desk.rest.signed_in("ann")

    assert_problem(desk.call("PUT", f"bans/{ann['user']['id']}", body), 422, "invalid_field", field)
    assert desk.rest.bans.rows == {}


def test_nobody_and_oneself_cannot_be_banned(desk: Desk) -> None:
    admin = desk.rest.users.by_name("admin")
    assert admin is not None

    assert_problem(desk.call("PUT", "bans/unobody"), 404, "user_not_found")
    assert_problem(desk.call("PUT", f"bans/{admin.id}"), 400, "self")


def test_bans_are_listed_page_by_page_the_newest_first(desk: Desk) -> None:
    for name in ("ann", "bob", "cat"):
        user = desk.rest.signed_in(name)["user"]
        desk.call("PUT", f"bans/{user['id']}", {"reason": name})
        desk.rest.clock.now += 1

    first = desk.call("GET", "bans", query={"limit": "2"}).body
    second = desk.call("GET", "bans", query={"limit": "2", "cursor": first["next_cursor"]}).body

    reasons = [one["reason"] for one in (*first["items"], *second["items"])]
    assert reasons == ["cat", "bob", "ann"]
    assert second["next_cursor"] is None


@pytest.mark.req("APP-16")
def test_a_broadcast_is_accepted_once_however_often_it_is_repeated(desk: Desk) -> None:
    headers = {"Idempotency-Key": "k1"}

    replies = [desk.call("POST", "broadcasts", {"content": "Hi"}, headers=headers) for _ in "12"]

    (notice,) = desk.outbox.notices
    for reply in replies:
        assert reply.status == 202
        assert reply.body == {
            "id": notice.id,
            "content": "Hi",
            "created_at": "2027-01-15T08:00:00.000Z",
        }


@pytest.mark.parametrize(("body", "status"), [({}, 422), ({"content": ""}, 422)])
def test_a_broadcast_says_something(desk: Desk, body: Any, status: int) -> None:
    assert_problem(desk.call("POST", "broadcasts", body), status, "invalid_field", "content")


def test_a_broadcast_is_no_longer_than_a_message(desk: Desk) -> None:
    assert_problem(desk.call("POST", "broadcasts", {"content": "x" * 16385}), 413, "too_large")


@pytest.mark.req("APP-14")
def test_a_dead_letter_is_listed_and_replayed(desk: Desk) -> None:
    listed = desk.call("GET", "dead-letters").body
    headers = {"Idempotency-Key": "k1"}
    path = f"dead-letters/{listed['items'][0]['id']}/replay"

    replies = [desk.call("POST", path, headers=headers) for _ in "12"]

    assert listed["items"][0] == {
        "id": "TASKS-3-9",
        "topic": "TASKS",
        "partition": 3,
        "offset": 9,
        "name": "drain",
        "listener": "",
        "key": "bob",
        "error": "PoisonError",
        "parked_at": "1970-01-01T00:00:01.500Z",
        "trace_id": "abc",
        "args": {"id": "c1"},
        "raw": "",
        "truncated": [],
        "replayable": True,
    }
    assert [reply.status for reply in replies] == [202, 202]
    assert [one.id for one in desk.outbox.resent] == ["TASKS-3-9"]
    assert_problem(desk.call("POST", path), 404, "not_found")


def test_a_dead_letter_that_was_cut_says_so(desk: Desk) -> None:
    cut = desk.call("GET", "dead-letters").body["items"][1]

    assert (cut["args"], cut["truncated"], cut["replayable"]) == (None, ["args"], False)
    refused = desk.call("POST", f"dead-letters/{cut['id']}/replay")
    assert_problem(refused, 409, "conflict")


def test_what_is_no_json_is_shown_all_the_same(desk: Desk) -> None:
    odd = letter(offset=1, args='{"n": [NaN, Infinity]}', raw=b"\xff" * 5000)
    desk.letters.rows = {odd.id: odd}

    (shown,) = desk.call("GET", "dead-letters").body["items"]

    assert shown["args"] == {"n": ["NaN", "Infinity"]}
    assert shown["raw"] == "\ufffd" * 1000


def test_dead_letters_are_paged(desk: Desk) -> None:
    first = desk.call("GET", "dead-letters", query={"limit": "1"}).body
    query = {"limit": "1", "cursor": first["next_cursor"]}

    second = desk.call("GET", "dead-letters", query=query).body

    assert [one["offset"] for one in (*first["items"], *second["items"])] == [9, 10]


def test_the_audit_log_shows_who_did_what(desk: Desk) -> None:
    admin = desk.rest.users.by_name("admin")
    assert admin is not None
    desk.call("PUT", "bans/unobody", {"reason": "spam"})
    desk.rest.clock.now += 1
    desk.call("POST", "broadcasts", {"content": "Hi"})

    first = desk.call("GET", "audit-log", query={"limit": "1"}).body
    query = {"limit": "1", "cursor": first["next_cursor"]}
    second = desk.call("GET", "audit-log", query=query).body

    assert first["items"][0]["action"] == "broadcast"
    (entry,) = second["items"]
    assert entry == {
        "id": entry["id"],
        "at": "2027-01-15T08:00:00.000Z",
        "actor": admin.id,
        "action": "ban",
        "target": "unobody",
        "result": "user_not_found",
        "trace_id": "67891233abcdef012345678912345678",
        "details": {"reason": "spam"},
    }
