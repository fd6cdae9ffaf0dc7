from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import app
from chalicelib.http import openapi
from chalicelib.http.routing import Api, Call, Operation
from chalicelib.http.schema import JsonObject, integer, obj
from tests.rest import Rest

KEYWORDS = {
    "$ref", "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum",
    "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "default", "pattern",
    "format", "description", "minProperties",
}  # fmt: skip


@pytest.fixture
def document(rest: Rest) -> JsonObject:
    reply = rest.call("GET", "/v1/openapi.json")
    assert reply.status == 200
    body: JsonObject = reply.body
    return body


def operations(document: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def schemas(node: Any, *, inside: bool = False) -> Iterator[JsonObject]:
    if inside:
        yield node
        for member in node.get("properties", {}).values():
            yield from schemas(member, inside=True)
        for one in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else ())):
            yield from schemas(one, inside=True)
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from schemas(value, inside=name == "schema")
    elif isinstance(node, list):
        for value in node:
            yield from schemas(value)


@pytest.mark.req("APP-17")
def test_every_route_of_the_app_is_described(document: JsonObject) -> None:
    routes = {(path, method.lower()) for path, entry in app.app.routes.items() for method in entry}

    described = {(path, method) for path, method, _ in operations(document)}

    assert described == routes
    assert ("/v1/auth/login", "post") in described


def test_the_routes_of_the_contract_are_there(document: JsonObject) -> None:
    described = {f"{method.upper()} {path}" for path, method, _ in operations(document)}

    assert {
        "GET /v1/health", "GET /v1/client-config", "GET /v1/openapi.json", "GET /v1/docs",
        "POST /v1/auth/register", "POST /v1/auth/login", "POST /v1/auth/refresh",
        "POST /v1/auth/logout", "GET /v1/auth/sessions", "DELETE /v1/auth/sessions/{device_id}",
        "POST /v1/auth/password", "GET /v1/users/me", "PATCH /v1/users/me",
        "GET /v1/friends", "PATCH /v1/friends/{user_id}", "DELETE /v1/friends/{user_id}",
        "POST /v1/friend-requests", "GET /v1/friend-requests",
        "POST /v1/friend-requests/{request_id}/accept",
        "POST /v1/friend-requests/{request_id}/reject",
        "GET /v1/blocks", "PUT /v1/blocks/{user_id}", "DELETE /v1/blocks/{user_id}",
        "GET /v1/users/{user_id}", "GET /v1/users", "GET /v1/.well-known/jwks.json",
    } <= described  # fmt: skip


def test_operations_have_names_of_their_own(document: JsonObject) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(names) == len(set(names))


def test_every_parameter_in_a_path_is_described(document: JsonObject) -> None:
    for path, _, operation in operations(document):
        described = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))


def test_every_reference_leads_somewhere(document: JsonObject) -> None:
    known = document["components"]["schemas"]
    found = [one["$ref"] for one in (*schemas(document), *named(document)) if "$ref" in one]

    assert "#/components/schemas/Problem" in found
    assert {one.rpartition("/")[2] for one in found} <= known.keys()


def named(document: JsonObject) -> Iterator[JsonObject]:
    for schema in document["components"]["schemas"].values():
        yield from schemas(schema, inside=True)


def test_schemas_use_only_what_json_schema_knows(document: JsonObject) -> None:
    for schema in (*schemas(document), *named(document)):
        assert set(schema) <= KEYWORDS
        assert set(schema.get("required", ())) <= set(schema.get("properties", {}))


def test_a_member_called_like_a_keyword_stays_a_member(document: JsonObject) -> None:
    problem = document["components"]["schemas"]["Problem"]

    assert {"type", "title"} <= problem["properties"].keys()


def test_an_operation_says_who_may_call_it_and_what_may_go_wrong(document: JsonObject) -> None:
    register = document["paths"]["/v1/auth/register"]["post"]
    mine = document["paths"]["/v1/users/me"]["get"]

    assert register["security"] == []
    assert mine["security"] == [{"bearer": []}]
    statuses = {"201", "400", "403", "409", "413", "415", "422", "429", "500", "503"}
    assert statuses == set(register["responses"])
    assert "`username_taken`" in register["responses"]["409"]["description"]
    assert "`token_expired`" in mine["responses"]["401"]["description"]
    assert "Idempotency-Key" in {one["name"] for one in register["parameters"]}


def test_two_schemas_of_one_name_are_a_mistake() -> None:
    def operation(path: str, answer: JsonObject) -> Operation:
        return Operation(
            tag="t", method="GET", path=path, handler=lambda _: None, summary="", answer=answer
        )

    twice = [
        operation("/a", dict(obj("Same", a=integer()))),
        operation("/b", dict(obj("Same", b=integer()))),
    ]

    with pytest.raises(ValueError, match="Same"):
        openapi.document(twice)


def test_a_declaration_with_an_unknown_member_is_a_mistake() -> None:
    api = Api("t")

    with pytest.raises(TypeError, match="anwser"):

        @api.route("GET", "/a", summary="", anwser=obj())
        def handler(_call: Call) -> None:
            """Never called."""


@pytest.mark.req("APP-17")
def test_the_page_shows_every_operation_and_loads_nothing(rest: Rest) -> None:
    page = rest.call("GET", "/v1/docs")

    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for path in app.app.routes:
        assert path in page.text
    assert not re.search(r"<script|src=|@import|url\(| on\w+=|https?://", page.text)


def test_the_page_s_policy_allows_its_own_style_only(rest: Rest) -> None:
    policy = rest.call("GET", "/v1/docs").headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
