"""Who may call what: every operation of the OpenAPI document, by nobody, user, other user, admin.

The document is the list, so a new route is in here by itself. What it says of itself is compared
with what it does; that it says the right thing, `OPEN` and the path of `/admin` decide.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.client import Answer, User, call
from tests.e2e.operators import promote
from tests.e2e.system import System

pytestmark = pytest.mark.req("APP-17")

# What may be called without a token. A route that is not here and open is a mistake.
OPEN = {
    "GET /v1/health",
    "GET /v1/client-config",
    "GET /v1/openapi.json",
    "GET /v1/docs",
    "GET /v1/.well-known/jwks.json",
    "POST /v1/auth/register",
    "POST /v1/auth/login",
    "POST /v1/auth/refresh",
    "GET /v1/auth/oidc/{provider}",
    "POST /v1/auth/oidc/{provider}/callback",
    "POST /v1/auth/password-reset",
    "POST /v1/auth/password-reset/confirm",
}
# It answers 401 to a wrong refresh token, whoever asks; and the client of these tests reads JSON.
APART = {"POST /v1/auth/refresh", "GET /v1/docs"}
NOT_LET_IN = ("unauthorized", "token_expired", "forbidden")
OPERATORS = (["admin"], ["moderator"])  # an administrator may do what a moderator may
HIDDEN = (403, 404)  # how somebody else's thing is refused


@dataclass(frozen=True)
class Route:
    """An operation as the document describes it."""

    method: str
    path: str
    described: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def roles(self) -> list[str] | None:
        """The roles that it takes, empty for everybody with a token; None where it is open."""
        security = self.described["security"]
        return security[0]["bearer"] if security else None


@pytest.fixture(scope="module")
def document(system: System) -> dict[str, Any]:
    found: dict[str, Any] = call(system.url, "GET", "/v1/openapi.json").body
    return found


@pytest.fixture(scope="module")
def routes(document: dict[str, Any]) -> list[Route]:
    return [
        Route(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]


class Cast:
    """Who plays, and the things in paths: each belongs to `user`, nothing of it to the others."""

    def __init__(self, system: System, document: dict[str, Any]) -> None:
        self.system = system
        self.schemas = document["components"]["schemas"]
        self.user, friend, stranger = (User.new(system.url, "cast") for _ in range(3))
        room = self.user.call("POST", "/v1/conversations", {"user_id": friend.id}).body["id"]
        asked = self.user.call("POST", "/v1/friend-requests", {"user_id": stranger.id}).body["id"]
        file = {"name": "a.txt", "size": 1, "content_type": "text/plain"}
        upload = self.user.call("POST", "/v1/attachments", file).body["attachment"]["id"]
        at = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds")
        later = {"conversation_id": room, "content": "later", "deliver_at": at}
        scheduled = self.user.call("POST", "/v1/scheduled-messages", later).body["id"]
        self.owned = {
            "attachment_id": upload,
            "scheduled_id": scheduled,
            "conversation_id": room,
            "request_id": asked,
            "device_id": self.user.device_id,
        }
        self.open = {"user_id": friend.id}

    def new_user(self) -> User:
        return User.new(self.system.url, "cast")

    def new_admin(self) -> User:
        return promote(self.system, self.new_user())

    def call(self, route: Route, token: str) -> Answer:
        """A request that is valid as far as the document tells."""
        things = {**self.owned, **self.open}
        path = re.sub(r"{(\w+)}", lambda found: things.get(found[1], "nothing"), route.path)
        query = "&".join(
            f"{one['name']}={sample(one['schema'], self.schemas)}"
            for one in route.described.get("parameters", ())
            if one["in"] == "query" and one["required"]
        )
        content = route.described.get("requestBody", {"content": {}})["content"]
        body = sample(content["application/json"]["schema"], self.schemas) if content else None
        path = f"{path}?{query}" if query else path
        return call(self.system.url, route.method, path, body, token=token)

    def calls(self, routes: list[Route], new: Callable[[], User]) -> Iterator[tuple[Route, Answer]]:
        """Every route in somebody's name.

        Some of them end a session or an account: what is refused then is tried once more by a
        newcomer, so what remains refused is refused for what they are.
        """
        who = new()
        for route in routes:
            answer = self.call(route, who.token)
            if answer.status == 401:
                who = new()
                answer = self.call(route, who.token)
            yield route, answer


@pytest.fixture(scope="module")
def cast(system: System, document: dict[str, Any]) -> Cast:
    return Cast(system, document)


def sample(schema: dict[str, Any], named: dict[str, Any]) -> Any:
    """The smallest value of a schema."""
    if "$ref" in schema:
        return sample(named[schema["$ref"].rpartition("/")[2]], named)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], named)
    if "properties" in schema:
        members = schema["properties"]
        # Where nothing is needed, a change of nothing may be refused before it is asked whose.
        names = schema["required"] or list(members)[:1]
        return {name: sample(members[name], named) for name in names}
    if schema["type"] == "array":
        return [sample(schema["items"], named)] * schema.get("minItems", 0)
    text = uuid.uuid4().hex[: schema.get("maxLength")].ljust(schema.get("minLength", 0))
    plain = {"string": text, "integer": schema.get("minimum", 0), "boolean": False, "object": {}}
    return schema["enum"][0] if "enum" in schema else plain[schema["type"]]


def code(answer: Answer) -> str:
    return str(answer.body.get("code", "")) if isinstance(answer.body, dict) else ""


def shown(route: Route, answer: Answer) -> str:
    return f"{route}: {answer.status} {code(answer)}"


def test_what_is_open_is_on_the_list(routes: list[Route]) -> None:
    assert {str(route) for route in routes if route.roles is None} == OPEN


def test_what_operators_do_asks_for_their_role(routes: list[Route]) -> None:
    assert [
        str(route) for route in routes if ("/admin/" in route.path) != (route.roles in OPERATORS)
    ] == []


@pytest.mark.parametrize("token", ["", "no.such.token"])
def test_nobody_gets_in_where_a_token_is_needed(
    cast: Cast, routes: list[Route], token: str
) -> None:
    answers = [(route, cast.call(route, token)) for route in in_order(routes)]

    let_in = [shown(*one) for one in answers if one[0].roles is not None and one[1].status != 401]
    shut_out = [shown(*one) for one in answers if one[0].roles is None and one[1].status == 401]
    assert (let_in, [one for one in shut_out if "invalid_credentials" not in one]) == ([], [])


def test_a_user_may_do_what_needs_no_role_and_nothing_else(cast: Cast, routes: list[Route]) -> None:
    first = iter([cast.user])

    answers = list(cast.calls(in_order(routes), lambda: next(first, None) or cast.new_user()))

    let_in = [shown(*one) for one in answers if one[0].roles and code(one[1]) != "forbidden"]
    shut_out = [shown(*one) for one in answers if not one[0].roles and code(one[1]) in NOT_LET_IN]
    failed = [shown(*one) for one in answers if one[1].status >= 500]
    assert (let_in, shut_out, failed) == ([], [], [])


@pytest.mark.parametrize("kind", ["other user", "admin"])
def test_nobody_else_may_see_or_change_what_is_somebody_s(
    system: System, document: dict[str, Any], routes: list[Route], kind: str
) -> None:
    cast = Cast(system, document)
    owned = [one for one in routes if set(re.findall(r"{(\w+)}", one.path)) & cast.owned.keys()]
    new = cast.new_admin if kind == "admin" else cast.new_user

    answers = list(cast.calls(owned, new))

    seen = [shown(*one) for one in answers if one[1].status not in (*HIDDEN, 204)]
    assert len(answers) >= 6
    assert seen == []
    # What is answered 204 has done nothing.
    assert cast.user.get("/v1/users/me")["id"] == cast.user.id
    (request,) = cast.user.get("/v1/friend-requests?direction=sent")["items"]
    assert request["status"] == "pending"


def test_an_administrator_may_do_everything_that_is_not_somebody_s(
    system: System, document: dict[str, Any], routes: list[Route]
) -> None:
    cast = Cast(system, document)
    free = [one for one in routes if not set(re.findall(r"{(\w+)}", one.path)) & cast.owned.keys()]

    answers = list(cast.calls(in_order(free), cast.new_admin))

    wrong = [
        shown(*one)
        for one in answers
        if one[1].status >= 500
        or (code(one[1]) in NOT_LET_IN) is (one[0].roles in (None, [], *OPERATORS))
    ]
    assert wrong == []


def in_order(routes: list[Route]) -> list[Route]:
    """What takes something away comes when the others have used it."""
    asked = [one for one in routes if str(one) not in APART]
    return sorted(asked, key=lambda one: one.method == "DELETE")
