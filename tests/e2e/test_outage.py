"""A policy is changed while everything runs; then DynamoDB goes away, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.client import User, eventually, patiently
from tests.e2e.conftest import connected
from tests.e2e.system import System, start

POLICY = {"failure_threshold": 1, "open_seconds": 1, "half_open_calls": 1}
BOUND_SECONDS = 36.0 + 5.0  # docs/operations.md: the age of a copy and its jitter; and a margin


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[System]:
    """A system of this test's own: it is left with breakers that open at the first failure."""
    running = start(tmp_path, "full")
    yield running
    running.stop()


def administrator(system: System) -> User:
    user = User(system.url, "admin")
    credentials = {"username": "admin", "password": "admin of the tests"}
    user.token = patiently(system.url, "POST", "/v1/auth/login", credentials).body["access_token"]
    return user


def dynamodb_breaker(admin: User) -> dict[str, Any]:
    (found,) = [
        one for one in admin.get("/v1/admin/breakers")["items"] if one["name"] == "dynamodb"
    ]
    return dict(found)


def put_policy(system: System) -> None:
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
            Name="/lambchat/local/breaker/dynamodb", Value=json.dumps(POLICY), Type="String"
        )


def functions_that_took_it(system: System) -> set[str]:
    return {line.split()[1] for line in list(system.log) if "breaker policies changed" in line}


@pytest.mark.full
@pytest.mark.timeout(240)
@pytest.mark.req("BRK-4", "BRK-5", "BRK-7", "SHAPE-4", "APP-11")
def test_a_new_policy_is_applied_and_an_outage_of_dynamodb_loses_nothing(alone: System) -> None:
    ann, bob = (User.new(alone.url, name) for name in ("ann", "bob"))
    asyncio.run(_outage(alone, ann, bob))


async def _outage(system: System, ann: User, bob: User) -> None:
    admin = await asyncio.to_thread(administrator, system)
    writer, reader = await connected(system, ann, bob)
    first = await writer.say("before", to=bob.id)
    conversation = first["conversation_id"]
    await reader.received(conversation, 1)
    await asyncio.to_thread(dynamodb_breaker, admin)  # by now each function has the old policy

    await asyncio.to_thread(put_policy, system)
    changed_at = time.monotonic()
    sent = 1
    busy = {"SendFunction", "FanoutFunction", "ApiFunction"}
    shown: dict[str, Any] = {"policy": {}}
    while not (
        busy <= functions_that_took_it(system) and shown["policy"].get("failure_threshold") == 1
    ):
        assert time.monotonic() < changed_at + BOUND_SECONDS, functions_that_took_it(system)
        await writer.say(f"while it changes {sent}", conversation_id=conversation)
        sent += 1
        shown = await asyncio.to_thread(dynamodb_breaker, admin)
        await asyncio.sleep(0.2)
    await reader.received(conversation, sent)

    (store,) = system.processes("ServerRunner")
    store.kill()
    # Kafka takes them and holds them: what is answered `sent` while DynamoDB is away arrives.
    accepted = 0
    for number in range(10):
        answer = await writer.say(f"while it is away {number}", conversation_id=conversation)
        accepted += answer["type"] == "sent"
        assert answer["type"] == "sent" or answer["code"] == "unavailable", answer
    sent += accepted

    received = await reader.received(conversation, sent)
    assert [one["seq"] for one in received] == list(range(1, sent + 1))
    assert accepted > 0

    states = [
        line.split("new_state=")[1].split()[0]
        for line in list(system.log)
        if "FanoutFunction" in line and "breaker changed its state" in line
    ]
    assert "open" in states
    assert states[-1] == "closed"

    def reported() -> bool:
        return any(one["new_state"] == "open" for one in dynamodb_breaker(admin)["changes"])

    assert await eventually(reported, 30.0)
    for one in (writer, reader):
        await one.close()
