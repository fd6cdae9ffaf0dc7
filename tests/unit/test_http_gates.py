"""What stands before every route: origins, versions of clients, limits, the lock on log-ins."""

from __future__ import annotations

import json

import pytest

from chalicelib import bootstrap_limits as limits
from functions import authorizer
from functions._websocket import Call, route
from tests.rest import Rest, assert_problem
from tests.unit.test_authorizer import connecting

PAGE = "https://chat.example"
ANOTHER = "https://another.example"
ALLOW = "Access-Control-Allow-Origin"


def put_policy(rest: Rest, name: str, **document: object) -> None:
    rest.centre.values[f"/lambchat/unit/policy/{name}"] = json.dumps(document)


@pytest.mark.req("APP-17")
def test_a_page_of_a_configured_origin_may_call(rest: Rest) -> None:
    put_policy(rest, "http", cors_origins=[PAGE])

    reply = rest.call("GET", "/v1/client-config", headers={"Origin": PAGE})

    assert reply.headers[ALLOW] == PAGE
    assert reply.headers["Vary"] == "Origin"
    assert reply.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.req("APP-17")
@pytest.mark.parametrize("path", ["/v1/users/me", "/v1/nowhere"])
def test_such_a_page_can_read_errors_too(rest: Rest, path: str) -> None:
    put_policy(rest, "http", cors_origins=[PAGE])

    reply = rest.call("GET", path, headers={"origin": PAGE})

    assert reply.status in (401, 404)
    assert reply.headers[ALLOW] == PAGE


@pytest.mark.parametrize("origin", [ANOTHER, "null", PAGE + ".evil.example", PAGE.upper()])
def test_other_origins_get_no_leave(rest: Rest, origin: str) -> None:
    put_policy(rest, "http", cors_origins=[PAGE])

    reply = rest.call("GET", "/v1/client-config", headers={"Origin": origin})

    assert (reply.status, reply.headers["Vary"]) == (200, "Origin")
    assert ALLOW not in reply.headers


def test_by_default_no_origin_may_call(rest: Rest) -> None:
    reply = rest.call("GET", "/v1/client-config", headers={"Origin": PAGE})

    assert reply.status == 200
    assert not {ALLOW, "Vary"} & reply.headers.keys()


@pytest.mark.req("APP-17")
def test_a_preflight_is_answered_with_the_methods_of_the_path(rest: Rest) -> None:
    put_policy(rest, "http", cors_origins=[PAGE])
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "PATCH"}

    reply = rest.call("OPTIONS", "/v1/users/me", headers=headers)

    assert (reply.status, reply.text) == (204, "")
    assert reply.headers[ALLOW] == PAGE
    assert {"GET", "PATCH"} <= set(reply.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(("origin", "path", "status"), [(ANOTHER, "me", 405), (PAGE, "a/b/c", 404)])
def test_other_preflights_are_refused(rest: Rest, origin: str, path: str, status: int) -> None:
    put_policy(rest, "http", cors_origins=[PAGE])
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}

    reply = rest.call("OPTIONS", f"/v1/users/{path}", headers=headers)

    assert reply.status == status
    assert (ALLOW in reply.headers) is (origin == PAGE)


@pytest.mark.req("APP-17")
def test_a_client_that_is_too_old_is_told_so(rest: Rest) -> None:
    put_policy(rest, "http", minimum_client_version="1.2")

    reply = rest.register("alice", headers={"X-Client-Version": "1.1.9"})

    assert_problem(reply, 403, "client_too_old")
    assert "1.2" in reply.body["detail"]
    assert rest.register("alice", headers={"X-Client-Version": "1.2.0"}).status == 201
    assert rest.register("bob").status == 201, "who says nothing passes"


def test_an_old_client_can_still_read_what_it_should_be(rest: Rest) -> None:
    put_policy(rest, "http", minimum_client_version="1.2")

    reply = rest.call("GET", "/v1/client-config", headers={"X-Client-Version": "1.1"})

    assert reply.body["minimum_client_version"] == "1.2"


@pytest.mark.req("APP-8")
def test_an_old_client_cannot_connect(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]
    put_policy(rest, "http", minimum_client_version="1.2")

    def effect(**query: str) -> object:
        made = connecting(token)
        made["queryStringParameters"].update(query)
        return authorizer.handler(made, None)["policyDocument"]["Statement"][0]["Effect"]

    assert effect(client_version="1.1") == "Deny"
    assert effect(client_version="1.2") == "Allow"
    assert effect() == "Allow"


@pytest.mark.req("APP-17")
def test_a_user_s_requests_are_limited_and_others_are_not(rest: Rest) -> None:
    put_policy(rest, "limits", read={"limit": 3, "seconds": 60})
    ann, bob = (rest.signed_in(name)["access_token"] for name in ("ann", "bob"))

    replies = [rest.call("GET", "/v1/users/me", token=ann) for _ in range(5)]

    assert [one.status for one in replies] == [200, 200, 200, 429, 429]
    assert_problem(replies[-1], 429, "rate_limited")
    assert 0 < int(replies[-1].headers["Retry-After"]) <= 120
    assert rest.call("GET", "/v1/users/me", token=bob).status == 200
    assert rest.call("POST", "/v1/auth/logout", token=ann).status == 204, "another class"


@pytest.mark.req("APP-17")
def test_an_open_route_is_limited_for_the_address(rest: Rest) -> None:
    put_policy(rest, "limits", **{"POST /v1/auth/register": {"limit": 2, "seconds": 60}})

    statuses = [rest.register(f"user{n}").status for n in range(4)]

    assert statuses == [201, 201, 429, 429]
    assert rest.call("GET", "/v1/client-config").status == 200, "another route"


def test_without_the_store_everything_passes(rest: Rest) -> None:
    put_policy(rest, "limits", open={"limit": 1, "seconds": 60})
    rest.counters.is_away = True

    assert [rest.call("GET", "/v1/client-config").status for _ in range(3)] == [200] * 3


def test_without_the_configuration_the_defaults_apply(rest: Rest) -> None:
    rest.centre.is_away = True

    assert rest.call("GET", "/v1/client-config").body["minimum_client_version"] == "0"


@pytest.mark.req("APP-1")
@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_guessing_is_slowed_whether_there_is_such_an_account_or_not(rest: Rest, name: str) -> None:
    rest.register("alice")
    guess = {"username": name, "password": "wrong"}

    replies = [rest.call("POST", "/v1/auth/login", body=guess) for _ in range(7)]

    assert [one.status for one in replies] == [401] * 5 + [429] * 2
    assert_problem(replies[-1], 429, "rate_limited")
    assert replies[-1].headers["Retry-After"] == "30"


@pytest.mark.req("APP-1")
def test_who_holds_a_token_cannot_guess_the_password_with_it(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]
    body = {"old_password": "wrong", "new_password": "another horse"}

    replies = [rest.call("POST", "/v1/auth/password", token=token, body=body) for _ in range(6)]

    assert [one.status for one in replies] == [401] * 5 + [429]


@pytest.mark.req("APP-17")
def test_frames_are_limited_and_the_connection_lives_on(rest: Rest) -> None:
    put_policy(rest, "limits", **{"frame ack": {"limit": 2, "seconds": 60}})

    def ack(call: Call) -> str:
        return '{"type":"acked"}'

    made = {
        "body": '{"type":"ack","ref":"r1"}',
        "requestContext": {"connectionId": "c1", "authorizer": {"user_id": "ann"}},
    }
    answers = [route(ack)(made, None) for _ in range(3)]

    assert [one["statusCode"] for one in answers] == [200] * 3
    kinds = [json.loads(one["body"])["type"] for one in answers]
    assert kinds == ["acked", "acked", "error"]
    refused = json.loads(answers[-1]["body"])
    assert (refused["code"], refused["ref"]) == ("rate_limited", "r1")
    assert 0 < refused["retry_after"] <= 120
    limits.limiter().take("ann", "frame ping", "frame")
