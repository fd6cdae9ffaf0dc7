"""Limits, the lock on log-ins, and pages of other origins, in the running system."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.e2e.client import Answer, Client, User, call, eventually
from tests.e2e.system import System, start

PAGE = "https://chat.example"
BOUND_SECONDS = 36.0 + 5.0  # docs/operations.md: the age of a copy and its jitter; and a margin
ROUTE = "/v1/auth/sessions"  # limited in this test, and for this user nobody else asks it


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, for what is changed here would concern every other test."""
    running = start(tmp_path_factory.mktemp("gated"), "embedded")
    yield running
    running.stop()


def put_policy(system: System, name: str, document: dict[str, Any]) -> None:
    environment = system.environment()
    client = boto3.client(
        "ssm",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    with contextlib.closing(client):
        client.put_parameter(
            Name=f"/lambchat/local/policy/{name}",
            Value=json.dumps(document),
            Type="String",
            Overwrite=True,
        )


@pytest.mark.req("APP-1")
def test_guessing_a_password_is_slowed_and_does_not_say_who_exists(system: System) -> None:
    ann = User.new(system.url, "ann")
    for name in (ann.name, f"nobody-{uuid.uuid4().hex[:8]}"):
        guess = {"username": name, "password": "wrong"}

        answers = [call(system.url, "POST", "/v1/auth/login", guess) for _ in range(6)]

        assert [one.status for one in answers] == [401] * 5 + [429]
        assert answers[-1].body["code"] == "rate_limited"
        assert 20 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert ann.call("GET", "/v1/users/me").status == 200, "who is logged in stays"
    User.new(system.url, "bob")


@pytest.mark.full  # it waits until every environment has read the policy again
@pytest.mark.timeout(180)
@pytest.mark.req("APP-17", "APP-8")
def test_limits_origins_and_versions_change_while_the_system_runs(gated: System) -> None:
    ann, bob = (User.new(gated.url, name) for name in ("ann", "bob"))
    assert "Access-Control-Allow-Origin" not in ann.call("GET", ROUTE).headers

    put_policy(gated, "http", {"cors_origins": [PAGE], "minimum_client_version": "2.0"})
    put_policy(
        gated,
        "limits",
        {
            f"GET {ROUTE}": {"limit": 3, "seconds": 3600},
            "frame ack": {"limit": 3, "seconds": 3600},
        },
    )

    waiting = eventually(lambda: ann.call("GET", ROUTE).status == 429, BOUND_SECONDS)
    assert asyncio.run(waiting)
    refused = ann.call("GET", ROUTE)
    assert refused.body["code"] == "rate_limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 7200
    assert bob.call("GET", ROUTE).status == 200
    assert ann.call("GET", "/v1/users/me").status == 200

    _check_origins(gated)
    _check_versions(gated, ann)
    asyncio.run(_check_frames(gated, ann))


def _check_origins(system: System) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}

    def allowed() -> Answer | None:
        answer = call(system.url, "OPTIONS", "/v1/auth/login", headers=asked)
        return answer if answer.status == 204 else None

    answer = asyncio.run(eventually(allowed))
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"

    foreign = {**asked, "Origin": "https://another.example"}
    answer = call(system.url, "OPTIONS", "/v1/auth/login", headers=foreign)
    assert "Access-Control-Allow-Origin" not in answer.headers


def _check_versions(system: System, user: User) -> None:
    answer = user.call("GET", "/v1/users/me", headers={"X-Client-Version": "1.9"})
    assert (answer.status, answer.body["code"]) == (403, "client_too_old")
    config = call(system.url, "GET", "/v1/client-config").body
    assert config["minimum_client_version"] == "2.0"


async def _check_frames(system: System, user: User) -> None:
    client = await Client(user, system.websocket_url).connect()
    place = {"conversation_id": "world", "seq": 0, "status": "read"}

    answers = [await client.ask("ack", **place) for _ in range(5)]

    assert [one.get("code") for one in answers][-2:] == ["rate_limited"] * 2
    assert (await client.ask("ping"))["type"] == "pong"
    await client.close()
