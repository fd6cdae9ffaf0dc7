"""The REST API in one process: events in, answers out, fakes at the ports."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import app
from chalicelib.logic.keys import KeyService
from tests.fakes_accounts import (
    Clock,
    FakeCentre,
    FakeIdempotency,
    FakeKeyStore,
    FakePresence,
    FakeSessions,
    FakeUsers,
)
from tests.fakes_admin import FakeBans
from tests.fakes_identity import FakeIdentities, FakeOneTimeTokens, FakeWeb
from tests.fakes_limits import FakeCounters, FakeFailedLogins
from tests.fakes_push import FakeEndpoints, FakePushTokens
from tests.fakes_relations import FakeNotices, FakeRelations

EVENT: dict[str, Any] = json.loads((Path(__file__).parent / "events" / "rest.json").read_text())
PASSWORD = "correct horse"


@dataclass
class Reply:
    """An answer of the API."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


def event(
    method: str,
    path: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What API Gateway hands over; a ``body`` that is no text or bytes is sent as JSON."""
    made = copy.deepcopy(EVENT)
    made.update(path=path, httpMethod=method, pathParameters={"proxy": path[len("/v1/") :]})
    made["requestContext"]["httpMethod"] = method
    if body is not None:
        made["body"] = body if isinstance(body, str) else json.dumps(body)
        made["headers"]["content-type"] = "application/json"
    made["headers"].update(headers or {})
    if query:
        made["queryStringParameters"] = dict(query)
        made["multiValueQueryStringParameters"] = {k: [v] for k, v in query.items()}
    return made


class Rest:
    """A client of the API, and what is behind it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.users = FakeUsers()
        self.sessions = FakeSessions(self.clock)
        self.bans = FakeBans(self.clock)
        self.idempotency = FakeIdempotency(self.clock)
        self.presence = FakePresence()
        self.notices = FakeNotices()
        self.relations = FakeRelations(self.clock)
        self.relations.users = self.users.rows
        self.counters = FakeCounters()
        self.failed_logins = FakeFailedLogins()
        self.identities = FakeIdentities()
        self.one_time_tokens = FakeOneTimeTokens(self.clock)
        self.web = FakeWeb()
        self.push_tokens = FakePushTokens()
        self.endpoints = FakeEndpoints()
        self.centre = FakeCentre()
        keys = FakeKeyStore()
        KeyService(keys).ensure()
        self.centre.values = {
            "/lambchat/unit/auth/signing-key": keys.key or "",
            "/lambchat/unit/auth/jwks": keys.public or "",
        }

    def send(self, made: dict[str, Any]) -> Reply:
        """Hands an event over as it is."""
        answer = app.handler(made, None)
        return Reply(answer["statusCode"], answer["headers"], answer["body"])

    def call(self, method: str, path: str, *, token: str = "", **parts: Any) -> Reply:
        """A request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers.update(parts.pop("headers", None) or {})
        return self.send(event(method, path, headers=headers, **parts))

    def register(self, username: str, **more: Any) -> Reply:
        """A registration."""
        body = {"username": username, "password": PASSWORD, **more.pop("body", {})}
        return self.call("POST", "/v1/auth/register", body=body, **more)

    def login(self, username: str, **more: Any) -> Any:
        """The answer to a log-in that succeeds."""
        body = {"username": username, "password": PASSWORD, **more}
        reply = self.call("POST", "/v1/auth/login", body=body)
        assert reply.status == 200, reply.text
        return reply.body

    def signed_in(self, username: str = "alice", **more: Any) -> Any:
        """The answer to the log-in of a new user."""
        assert self.register(username).status == 201
        return self.login(username, **more)


def assert_problem(reply: Reply, status: int, code: str, *fields: str) -> None:
    """The reply is a problem document with this code, about these fields."""
    assert (reply.status, reply.body.get("code")) == (status, code), reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "trace_id"} <= reply.body.keys()
    assert reply.body["status"] == status
    assert [one["field"] for one in reply.body.get("errors", [])] == list(fields)
