"""What operators do over the wire: bans, broadcasts, dead letters, the audit log."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from typing import Any

import pytest
import websockets
from confluent_kafka import Producer

from tests.e2e.client import PASSWORD, Client, Frame, User, call, eventually, patiently
from tests.e2e.conftest import connected
from tests.e2e.system import ROOT, System


@pytest.fixture
def admin(system: System) -> User:
    if system.process is None:
        pytest.fail("only with a system of our own: its password is known")
    user = User(system.url, "admin")
    credentials = {"username": "admin", "password": "admin of the tests"}
    user.token = patiently(system.url, "POST", "/v1/auth/login", credentials).body["access_token"]
    return user


def command_line(system: System, *arguments: str) -> list[Any]:
    """What a command of `lambchat` prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "chalicelib.cli", *arguments, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def log_in(user: User) -> Any:
    credentials = {"username": user.name, "password": PASSWORD}
    return call(user.url, "POST", "/v1/auth/login", credentials)


def assert_kept_out(system: System, user: User) -> None:
    """Over log-in, refresh, REST and connect."""
    answer = log_in(user)
    assert (answer.status, answer.body["code"]) == (403, "banned")
    refresh = {"refresh_token": user.refresh_token}
    assert call(user.url, "POST", "/v1/auth/refresh", refresh).status == 401
    assert user.call("GET", "/v1/users/me").status == 401
    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(Client(user, system.websocket_url).connect())
    assert refused.value.response.status_code in (401, 403)


async def cut_off_within_a_second(system: System, user: User, ban: Any) -> None:
    other = User(user.url, user.name).log_in()
    clients = await connected(system, user, other)

    await asyncio.to_thread(ban)
    await asyncio.gather(*(client.cut_off() for client in clients))


@pytest.mark.req("APP-16")
def test_a_banned_user_is_cut_off_within_a_second_and_cannot_come_back(
    system: System, admin: User, ann: User, bob: User
) -> None:
    path = f"/v1/admin/bans/{ann.id}"

    def ban() -> None:
        assert admin.call("PUT", path, {"reason": "spam"}).status == 200

    asyncio.run(cut_off_within_a_second(system, ann, ban))

    assert_kept_out(system, ann)
    assert bob.call("GET", "/v1/users/me").status == 200
    listed = {one["user_id"]: one["reason"] for one in admin.get("/v1/admin/bans")["items"]}
    assert listed[ann.id] == "spam"

    assert admin.call("DELETE", path).status == 204

    assert ann.log_in().call("GET", "/v1/users/me").status == 200


@pytest.mark.req("APP-16")
def test_a_ban_from_the_command_line_does_the_same_and_ends_by_itself(
    system: System, admin: User, ann: User
) -> None:
    def until(seconds: float) -> str:
        moment = time.gmtime(time.time() + seconds)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)

    def ban() -> None:
        command_line(system, "ban", f"@{ann.name}", "--until", until(3600))

    asyncio.run(cut_off_within_a_second(system, ann, ban))
    assert_kept_out(system, ann)

    ends = time.time() + 2  # the time is told in whole seconds
    shorter = {"until": until(3)}
    assert admin.call("PUT", f"/v1/admin/bans/{ann.id}", shorter).status == 200

    assert log_in(ann).status == 403 or time.time() > ends
    assert asyncio.run(eventually(lambda: log_in(ann).status == 200))


@pytest.mark.req("APP-16")
def test_only_administrators_ban(ann: User, bob: User) -> None:
    answer = ann.call("PUT", f"/v1/admin/bans/{bob.id}", {})

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


@pytest.mark.req("APP-16")
def test_a_broadcast_reaches_everybody_who_is_connected(
    system: System, admin: User, ann: User, bob: User
) -> None:
    def is_notice(frame: Frame) -> bool:
        return frame.get("event") == "notice" and frame["data"]["id"] == sent["id"]

    async def scenario() -> list[Frame]:
        clients = await connected(system, ann, User(ann.url, ann.name).log_in(), bob)
        body = {"content": "Back in a minute. 📣"}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in "12":
            answer = await asyncio.to_thread(
                admin.call, "POST", "/v1/admin/broadcasts", body, headers=headers
            )
            assert answer.status == 202
            sent.update(answer.body)
        received = [await client.frame(is_notice) for client in clients]
        for client in clients:
            await client.close()
        return received

    sent: dict[str, Any] = {}
    received = asyncio.run(scenario())

    assert received == [{"type": "event", "event": "notice", "data": sent}] * 3
    assert sent["content"] == "Back in a minute. 📣"


@pytest.mark.req("APP-14")
def test_a_record_that_cannot_succeed_is_listed_and_replayed(system: System, admin: User) -> None:
    name = f"no-such-task-{uuid.uuid4().hex}"

    def letters() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        path = "/v1/admin/dead-letters?limit=100"
        cursor = ""
        while True:
            page = admin.get(path + cursor)
            found.extend(one for one in page["items"] if one["name"] == name)
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    value = json.dumps({"v": 1, "task": name, "args": {"n": 1}})
    producer = Producer({"bootstrap.servers": system.environment()["KAFKA_BROKERS"]})
    producer.produce("TASKS", value, key="poison")
    assert producer.flush(20) == 0

    (letter,) = asyncio.run(eventually(letters, 30.0))
    assert (letter["topic"], letter["key"], letter["args"]) == ("TASKS", "poison", {"n": 1})
    assert name in letter["error"]
    assert letter["id"] in {one["id"] for one in command_line(system, "dead-letters")}

    replayed = admin.call("POST", f"/v1/admin/dead-letters/{letter['id']}/replay")
    assert replayed.status == 202

    # It cannot succeed now either: it comes back from further on in the same partition.
    (again,) = asyncio.run(eventually(letters, 30.0))
    assert (again["partition"], again["args"]) == (letter["partition"], {"n": 1})
    assert again["offset"] > letter["offset"]
    gone = admin.call("POST", f"/v1/admin/dead-letters/{letter['id']}/replay")
    assert (gone.status, gone.body["code"]) == (404, "not_found")


def test_what_operators_do_is_in_the_audit_log(system: System, admin: User, ann: User) -> None:
    admin.call("PUT", f"/v1/admin/bans/{ann.id}", {"reason": "spam"})
    command_line(system, "unban", ann.id)

    logged = [
        one
        for one in admin.get("/v1/admin/audit-log?limit=100")["items"]
        if one["target"] == ann.id
    ]

    assert [(one["action"], one["result"]) for one in logged] == [
        ("unban", "done"),
        ("ban", "done"),
    ]
    assert logged[0]["actor"].startswith("cli:")
    assert logged[1]["details"] == {"reason": "spam"}
    assert logged == [one for one in command_line(system, "audit-log") if one["target"] == ann.id]
