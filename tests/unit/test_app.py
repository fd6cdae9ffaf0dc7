"""The REST API as a client sees it: events of API Gateway in, answers out."""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app
from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import UnavailableError
from chalicelib.http.validation import MAX_BODY_BYTES
from tests.rest import PASSWORD, Rest, assert_problem, event

ROOT = Path(__file__).parents[2]
REGISTER = "/v1/auth/register"


@pytest.mark.req("SHAPE-5", "APP-1", "APP-17")
def test_a_user_registers_logs_in_and_reads_their_profile(rest: Rest) -> None:
    registered = rest.register("Alice", body={"nickname": "Ali"})
    token = rest.login("alice")["access_token"]

    mine = rest.call("GET", "/v1/users/me", token=token)

    assert registered.status == 201
    assert mine.status == 200
    assert mine.body == registered.body
    assert mine.body["username"] == "Alice"
    assert mine.body["created_at"].endswith("Z")


def test_no_answer_shows_a_password_or_its_hash(rest: Rest) -> None:
    replies = [rest.register("alice"), rest.register("alice")]
    tokens = rest.login("alice")
    replies.append(
        rest.call("GET", f"/v1/users/{tokens['user']['id']}", token=tokens["access_token"])
    )

    shown = "".join(one.text for one in replies) + json.dumps(tokens)

    assert PASSWORD not in shown
    assert "argon2" not in shown


def test_a_log_in_answers_what_the_contract_says(rest: Rest) -> None:
    answer = rest.signed_in("alice", device_name="Zoë’s 📱")

    assert set(answer) == {"user", "device_id", "access_token", "refresh_token", "expires_in"}
    assert answer["expires_in"] == 900
    again = rest.login("alice", device_id=answer["device_id"])
    assert again["device_id"] == answer["device_id"]


@pytest.mark.req("APP-1")
def test_wrong_credentials_do_not_tell_which_part_was_wrong(rest: Rest) -> None:
    rest.register("alice")

    answers = [
        rest.call("POST", "/v1/auth/login", body={"username": name, "password": "wrong one"})
        for name in ("alice", "nobody")
    ]

    for one in answers:
        assert_problem(one, 401, "invalid_credentials")
    assert answers[0].body == answers[1].body


def test_the_life_of_a_token_follows_the_policy(rest: Rest) -> None:
    rest.centre.values["/lambchat/unit/policy/auth"] = '{"access_token_seconds": 5}'
    answer = rest.signed_in()
    assert answer["expires_in"] == 5

    rest.clock.now += 5

    refused = rest.call("GET", "/v1/users/me", token=answer["access_token"])
    assert_problem(refused, 401, "token_expired")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.req("APP-3")
def test_a_refresh_token_is_good_once(rest: Rest) -> None:
    first = rest.signed_in()
    second = rest.call("POST", "/v1/auth/refresh", body={"refresh_token": first["refresh_token"]})
    assert second.status == 200

    reused = rest.call("POST", "/v1/auth/refresh", body={"refresh_token": first["refresh_token"]})

    assert_problem(reused, 401, "token_reused")
    assert rest.presence.closed == [(first["user"]["id"], first["device_id"])]
    refused = rest.call("GET", "/v1/users/me", token=second.body["access_token"])
    assert_problem(refused, 401, "unauthorized")


@pytest.mark.req("APP-3")
def test_a_log_out_takes_effect_at_once_and_on_this_device_only(rest: Rest) -> None:
    phone, tablet = rest.signed_in(), rest.login("alice")

    left = rest.call("POST", "/v1/auth/logout", token=phone["access_token"])

    assert (left.status, left.text) == (204, "")
    assert_problem(
        rest.call("GET", "/v1/users/me", token=phone["access_token"]), 401, "unauthorized"
    )
    assert rest.call("GET", "/v1/users/me", token=tablet["access_token"]).status == 200
    assert rest.presence.closed == [(phone["user"]["id"], phone["device_id"])]


@pytest.mark.req("APP-3")
def test_a_log_out_of_all_devices_ends_every_session(rest: Rest) -> None:
    phone, tablet = rest.signed_in(), rest.login("alice")

    rest.call("POST", "/v1/auth/logout", token=phone["access_token"], body={"all_devices": True})

    for one in (phone, tablet):
        assert rest.call("GET", "/v1/users/me", token=one["access_token"]).status == 401


@pytest.mark.req("APP-3")
def test_sessions_are_listed_and_ended_one_by_one(rest: Rest) -> None:
    phone = rest.signed_in("alice", device_name="phone")
    tablet = rest.login("alice", device_name="tablet")
    token = phone["access_token"]

    listed = rest.call("GET", "/v1/auth/sessions", token=token).body
    shown = {one["device_name"]: one["current"] for one in listed["items"]}
    assert shown == {"phone": True, "tablet": False}
    assert listed["next_cursor"] is None

    for _ in range(2):
        ended = rest.call("DELETE", f"/v1/auth/sessions/{tablet['device_id']}", token=token)
        assert ended.status == 204
    assert rest.call("GET", "/v1/users/me", token=tablet["access_token"]).status == 401


def test_nobody_ends_another_user_s_session(rest: Rest) -> None:
    alice, bob = rest.signed_in("alice"), rest.signed_in("bob")

    rest.call("DELETE", f"/v1/auth/sessions/{alice['device_id']}", token=bob["access_token"])

    assert rest.call("GET", "/v1/users/me", token=alice["access_token"]).status == 200


def test_a_password_is_changed_with_the_old_one(rest: Rest) -> None:
    alice, other = rest.signed_in(), rest.login("alice")
    change = {"old_password": PASSWORD, "new_password": "another horse"}

    changed = rest.call("POST", "/v1/auth/password", token=alice["access_token"], body=change)
    again = rest.call("POST", "/v1/auth/password", token=alice["access_token"], body=change)

    assert changed.status == 204
    assert_problem(again, 401, "invalid_credentials")
    assert rest.call("GET", "/v1/users/me", token=other["access_token"]).status == 401
    assert rest.login("alice", password="another horse")


@pytest.mark.req("APP-2")
def test_a_profile_is_changed_member_by_member(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]
    change = {"nickname": "Zoë 👩‍🚀 שלום", "signature": "<b>'; DROP TABLE users; --</b>"}

    changed = rest.call("PATCH", "/v1/users/me", token=token, body=change)

    assert changed.status == 200
    read = rest.call("GET", "/v1/users/me", token=token).body
    assert {name: read[name] for name in change} == change


@pytest.mark.parametrize("member", ["id", "username", "password_hash", "roles", "created_at", "no"])
def test_read_only_and_unknown_members_are_refused(rest: Rest, member: str) -> None:
    token = rest.signed_in()["access_token"]

    reply = rest.call("PATCH", "/v1/users/me", token=token, body={member: "x", "nickname": "n"})

    assert_problem(reply, 422, "invalid_field", member)
    assert rest.call("GET", "/v1/users/me", token=token).body["nickname"] == ""


def test_another_user_s_profile_has_no_private_members(rest: Rest) -> None:
    alice, bob = rest.signed_in("alice"), rest.signed_in("bob")

    seen = rest.call("GET", f"/v1/users/{bob['user']['id']}", token=alice["access_token"])

    assert seen.body["username"] == "bob"
    assert not {"roles", "updated_at", "password_hash"} & seen.body.keys()


@pytest.mark.parametrize("user_id", ["unobody", "u" * 64])
def test_nobody_has_no_profile(rest: Rest, user_id: str) -> None:
    token = rest.signed_in()["access_token"]

    assert_problem(rest.call("GET", f"/v1/users/{user_id}", token=token), 404, "user_not_found")


@pytest.mark.req("APP-2")
def test_a_search_is_paged_with_opaque_cursors(rest: Rest) -> None:
    token = rest.signed_in("searcher")["access_token"]
    for name in ("Anna", "andrew", "Anouk", "bob"):
        rest.register(name)
    seen: list[str] = []
    query = {"query": "an", "limit": "2"}

    while True:
        page = rest.call("GET", "/v1/users", token=token, query=query).body
        seen.extend(one["username"] for one in page["items"])
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == ["andrew", "Anna", "Anouk"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "a", "limit": "101"}, "limit"),
        ({"query": "a", "limit": "0"}, "limit"),
        ({"query": "a", "limit": "ten"}, "limit"),
        ({"query": "a", "limit": "1" * 5000}, "limit"),
        ({"query": "a\x00"}, "query"),
        ({"query": "a", "cursor": "rubbish"}, "cursor"),
        ({"query": "a", "cursor": "é"}, "cursor"),
    ],
)
def test_malformed_query_parameters_are_refused(
    rest: Rest, query: dict[str, str], field: str
) -> None:
    token = rest.signed_in()["access_token"]

    reply = rest.call("GET", "/v1/users", token=token, query=query)

    assert_problem(reply, 400, "invalid_query", field)


def test_a_cursor_that_was_altered_or_is_of_another_list_is_refused(rest: Rest) -> None:
    token = rest.signed_in("anna")["access_token"]
    rest.register("andrew")
    query = {"query": "an", "limit": "1"}
    cursor = rest.call("GET", "/v1/users", token=token, query=query).body["next_cursor"]

    altered = cursor[:-3] + ("AAA" if cursor[-3:] != "AAA" else "BBB")
    for wrong in ({"query": "an", "cursor": altered}, {"query": "a", "cursor": cursor}):
        assert_problem(
            rest.call("GET", "/v1/users", token=token, query=wrong), 400, "invalid_query", "cursor"
        )


def test_unknown_query_parameters_are_ignored(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]

    assert rest.call("GET", "/v1/users", token=token, query={"query": "a", "x": "y"}).status == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["username", "password"]),
        ({"username": "al", "password": PASSWORD}, ["username"]),
        ({"username": "a" * 33, "password": PASSWORD}, ["username"]),
        ({"username": "al ice", "password": PASSWORD}, ["username"]),
        ({"username": "alice\n", "password": PASSWORD}, ["username"]),
        ({"username": "аlice", "password": PASSWORD}, ["username"]),
        ({"username": "alice", "password": "short"}, ["password"]),
        ({"username": "alice", "password": "x" * 129}, ["password"]),
        ({"username": "alice", "password": 12345678}, ["password"]),
        ({"username": "alice", "password": "with\x00nul1"}, ["password"]),
        ({"username": "alice", "password": PASSWORD, "nickname": "n" * 65}, ["nickname"]),
        ({"username": "alice", "password": PASSWORD, "nickname": "\x00"}, ["nickname"]),
        ({"username": "alice", "password": PASSWORD, "nickname": None}, ["nickname"]),
        ({"username": "alice", "password": PASSWORD, "roles": ["admin"]}, ["roles"]),
        ({"username": "alice", "password": PASSWORD, "\x00": 1}, ["\ufffd"]),
    ],
)
def test_a_registration_names_every_wrong_field(
    rest: Rest, body: dict[str, Any], fields: list[str]
) -> None:
    assert_problem(rest.call("POST", REGISTER, body=body), 422, "invalid_field", *fields)


def test_half_of_a_surrogate_pair_is_refused(rest: Rest) -> None:
    text = f'{{"username": "alice", "password": "{PASSWORD}", "nickname": "\\ud83d"}}'

    assert_problem(rest.call("POST", REGISTER, body=text), 422, "invalid_field", "nickname")


@pytest.mark.parametrize("length", [3, 32])
def test_names_have_3_to_32_characters(rest: Rest, length: int) -> None:
    assert rest.register(("a.b_c-D9" * 4)[:length]).status == 201


@pytest.mark.parametrize(
    "body", ["", " ", "{", "[]", '"text"', "5", "null", "NaN", '{"a": NaN}', "[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_refused(rest: Rest, body: str) -> None:
    assert_problem(rest.call("POST", REGISTER, body=body), 400, "invalid_json")


@pytest.mark.parametrize("encoded", [base64.b64encode(b"\xff\xfe").decode(), "%%%", "é"])
def test_a_body_that_is_no_text_is_refused(rest: Rest, encoded: str) -> None:
    made = event("POST", REGISTER, body=encoded)

    assert_problem(rest.send({**made, "isBase64Encoded": True}), 400, "invalid_json")


def test_a_body_in_base64_is_read(rest: Rest) -> None:
    text = json.dumps({"username": "alice", "password": PASSWORD, "nickname": "👩‍🚀"}).encode()
    made = event("POST", REGISTER, body=base64.b64encode(text).decode())

    assert rest.send({**made, "isBase64Encoded": True}).body["nickname"] == "👩‍🚀"


def test_a_huge_body_is_refused(rest: Rest) -> None:
    body = {"username": "alice", "password": PASSWORD, "nickname": "n" * MAX_BODY_BYTES}

    assert_problem(rest.call("POST", REGISTER, body=body), 413, "too_large")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=latin-1"],
)
def test_a_body_of_another_media_type_is_refused(rest: Rest, content_type: str) -> None:
    reply = rest.register("alice", headers={"content-type": content_type})

    assert_problem(reply, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_in_utf_8_may_say_so(rest: Rest, content_type: str) -> None:
    assert rest.register("alice", headers={"content-type": content_type}).status == 201


@pytest.mark.parametrize(
    "path",
    [
        "/v1/",
        "/v1/nothing",
        "/v1/users/me/",
        "/v1//users/me",
        "/v1/users/a/b/c",
        "/v1/auth/login/../register",
        "/v1/\x00",
        "/v1/" + "x" * 5000,
        "/v1/users/{user_id}/x",
    ],
)
def test_a_path_that_leads_nowhere_is_not_found(rest: Rest, path: str) -> None:
    assert_problem(rest.call("GET", path), 404, "not_found")


@pytest.mark.parametrize("part", ["a\x00b", "x" * 65, "a b", "é", "%00", "{user_id}", "<script>"])
def test_an_id_that_can_be_nobody_s_is_not_found(rest: Rest, part: str) -> None:
    token = rest.signed_in()["access_token"]

    assert_problem(rest.call("GET", f"/v1/users/{part}", token=token), 404, "not_found")


def test_paths_that_lead_nowhere_leave_nothing_behind(rest: Rest) -> None:
    """Chalice keeps its routes in a defaultdict: a look-up alone would add one."""
    before = rest.call("GET", "/v1/openapi.json").text

    for n in range(10):
        rest.call("GET", f"/v1/nothing/{n}")

    assert rest.call("GET", "/v1/openapi.json").text == before


def test_another_method_is_not_allowed(rest: Rest) -> None:
    reply = rest.call("PUT", "/v1/users/me")

    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, PATCH"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "token"]
)
def test_without_a_valid_token_nothing_is_shown(rest: Rest, authorization: str) -> None:
    reply = rest.call("GET", "/v1/users/me", headers={"Authorization": authorization})

    assert_problem(reply, 401, "unauthorized")


def test_the_token_is_found_whatever_the_case_of_the_header(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]

    assert (
        rest.call("GET", "/v1/users/me", headers={"authorization": f"bearer {token}"}).status == 200
    )


@pytest.mark.req("APP-17")
def test_a_store_that_is_away_is_said_with_the_time_to_come_back(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = rest.signed_in()["access_token"]

    def away(_user_id: str) -> None:
        raise UnavailableError("the store answered Unreachable")

    monkeypatch.setattr(rest.users, "get", away)
    reply = rest.call("GET", "/v1/users/me", token=token)

    assert_problem(reply, 503, "unavailable")
    assert reply.headers["Retry-After"] == "1"


def test_parameters_that_cannot_be_read_make_it_unavailable(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]
    rest.centre.is_away = True

    assert_problem(rest.call("GET", "/v1/users/me", token=token), 503, "unavailable")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged, line by line."""
    stream = io.StringIO()
    handler = app.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", stream)
    return stream


def test_an_unexpected_error_is_logged_once_and_not_shown(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    token = rest.signed_in()["access_token"]
    log.truncate(0)
    log.seek(0)

    def broken(_user_id: str) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr(rest.users, "get", broken)
    reply = rest.call("GET", "/v1/users/me", token=token)

    assert_problem(reply, 500, "internal_error")
    assert "secret detail" not in reply.text
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert ["exception" in line for line in lines] == [True, False]
    assert lines[0]["trace_id"] == reply.body["trace_id"]


@pytest.mark.parametrize("made", [{}, {"requestContext": {}}, {"path": "/v1/users/me"}])
def test_an_event_of_another_kind_is_answered_all_the_same(
    rest: Rest, made: dict[str, Any]
) -> None:
    reply = rest.send(made)

    assert reply.status in (404, 500)
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_request_is_logged_without_its_secrets(rest: Rest, log: io.StringIO) -> None:
    alice = rest.signed_in()
    rest.call("GET", "/v1/users", token=alice["access_token"], query={"query": "private"})
    rest.call("POST", "/v1/auth/refresh", body={"refresh_token": alice["refresh_token"]})

    out = log.getvalue()
    lines = [json.loads(line) for line in out.splitlines()]

    assert [line["route"] for line in lines] == [
        REGISTER,
        "/v1/auth/login",
        "/v1/users",
        "/v1/auth/refresh",
    ]
    assert {line["trace_id"] for line in lines} == {"67891233abcdef012345678912345678"}
    assert {line["status"] for line in lines} == {200, 201}
    for secret in (PASSWORD, alice["access_token"], alice["refresh_token"], "private"):
        assert secret not in out


def test_a_request_without_a_trace_gets_one(rest: Rest) -> None:
    made = event("GET", "/v1/nothing")
    del made["headers"]["X-Amzn-Trace-Id"]

    first, second = rest.send(made).body["trace_id"], rest.send(made).body["trace_id"]

    assert len(first) == 32
    assert first != second


def test_a_repeated_registration_gets_the_same_answer(rest: Rest) -> None:
    headers = {"Idempotency-Key": "key-1"}

    first, second = (rest.register("alice", headers=headers) for _ in range(2))

    assert first.status == 201
    assert (second.status, second.body) == (first.status, first.body)
    assert len(rest.users.rows) == 1


def test_a_key_that_was_used_for_another_request_is_a_conflict(rest: Rest) -> None:
    headers = {"idempotency-key": "key-1"}
    rest.register("alice", headers=headers)

    for other in (
        rest.register("bob", headers=headers),
        rest.register("alice", headers=headers, body={"password": "another one"}),
    ):
        assert_problem(other, 409, "idempotency_conflict")


def test_two_callers_may_use_the_same_key(rest: Rest) -> None:
    made = event("POST", REGISTER, headers={"Idempotency-Key": "1"})
    made["headers"]["content-type"] = "application/json"
    elsewhere = json.loads(json.dumps(made))
    elsewhere["requestContext"]["identity"]["sourceIp"] = "198.51.100.1"
    made["body"] = json.dumps({"username": "alice", "password": PASSWORD})
    elsewhere["body"] = json.dumps({"username": "bob", "password": PASSWORD})

    assert rest.send(made).status == 201
    assert rest.send(elsewhere).status == 201


def test_neither_the_key_nor_the_password_is_kept_with_the_answer(rest: Rest) -> None:
    rest.register("alice", headers={"Idempotency-Key": "key-1"})

    kept = repr(rest.idempotency.rows)

    assert "key-1" not in kept
    assert PASSWORD not in kept


def test_a_registration_that_died_midway_is_finished_by_its_repetition(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user was created; the process died before the answer was kept."""
    headers = {"Idempotency-Key": "key-1"}
    with monkeypatch.context() as patch:
        patch.setattr(rest.idempotency, "finish", _unavailable)
        assert_problem(rest.register("alice", headers=headers), 503, "unavailable")
    assert_problem(rest.register("alice", headers=headers), 409, "idempotency_conflict")
    rest.clock.now += 60

    repeated = rest.register("alice", headers=headers)

    assert repeated.status == 201
    assert [repeated.body["id"]] == list(rest.users.rows)


def test_a_refused_registration_may_be_repeated_with_its_key(rest: Rest) -> None:
    rest.register("alice")
    headers = {"Idempotency-Key": "key-1"}

    for _ in range(2):
        assert_problem(rest.register("alice", headers=headers), 409, "username_taken")


@pytest.mark.parametrize("key", ["", " ", "k" * 129, "é", "a b"])
def test_a_key_that_is_no_key_is_refused(rest: Rest, key: str) -> None:
    reply = rest.register("alice", headers={"Idempotency-Key": key})

    assert_problem(reply, 422, "invalid_field", "Idempotency-Key")


def _unavailable(*_: object) -> None:
    raise UnavailableError("the store answered Unreachable")


def test_the_client_is_told_where_to_connect_and_what_the_limits_are(rest: Rest) -> None:
    config = rest.call("GET", "/v1/client-config").body

    assert config["websocket_url"] == "ws://127.0.0.1:8081/local"
    expected = {"max_frame_bytes": 32768, "max_content_bytes": 16384, "connection_max_age_s": 7200}
    assert expected.items() <= config["limits"].items()


@pytest.mark.req("APP-3")
def test_the_public_keys_are_open_to_anybody(rest: Rest) -> None:
    (key,) = rest.call("GET", "/v1/.well-known/jwks.json").body["keys"]

    assert (key["kty"], key["crv"], key["use"]) == ("EC", "P-256", "sig")
    assert "d" not in key


def test_before_there_is_a_key_the_key_set_is_unavailable(rest: Rest) -> None:
    rest.centre.values.clear()

    assert_problem(rest.call("GET", "/v1/.well-known/jwks.json"), 503, "unavailable")


@pytest.mark.parametrize(("state", "status"), [("ok", 200), ("unavailable", 503)])
def test_health_shows_the_state_of_each_dependency(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, state: str, status: int
) -> None:
    class Health:
        def states(self) -> dict[str, str]:
            return {"dynamodb": "ok", "kafka": state}

    monkeypatch.setattr(accounts, "health", Health)

    reply = rest.call("GET", "/v1/health")

    assert reply.status == status
    assert reply.body == {"status": state, "dependencies": {"dynamodb": "ok", "kafka": state}}


def test_a_template_with_one_resource_for_each_route_works_too(rest: Rest) -> None:
    made = event("GET", "/v1/client-config")
    made.update(resource="/v1/client-config", pathParameters=None)
    made["requestContext"]["resourcePath"] = "/v1/client-config"

    assert rest.send(made).status == 200


def test_a_domain_s_base_path_is_no_part_of_the_route(rest: Rest) -> None:
    made = event("GET", "/v1/client-config")
    made["path"] = "/chat/v1/client-config"

    assert rest.send(made).status == 200


def test_the_app_imports_nothing_that_only_the_chalice_command_needs() -> None:
    script = "import app, sys; print(*sys.modules)"

    out = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True)

    heavy = {"click", "inquirer", "yaml", "boto3", "botocore.session", "pynamodb", "argon2"}
    assert not heavy & set(out.split())


def test_importing_the_app_changes_no_environment() -> None:
    script = "import os; before = dict(os.environ); import app; print(before == dict(os.environ))"

    out = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True)

    assert out.strip() == "True"


def test_logging_of_other_libraries_is_left_alone(rest: Rest) -> None:
    assert logging.getLogger().level == logging.WARNING
