"""Who is there, as friends see it: pushed when it changes, and read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
import uuid
import zlib

import pytest

from tests.e2e.client import Client, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.operators import aws
from tests.e2e.system import ROOT, System

pytestmark = pytest.mark.req("APP-8")


@pytest.fixture
def cat(system: System) -> User:
    return User.new(system.url, "cat")


def befriend(one: User, other: User) -> None:
    request = one.call("POST", "/v1/friend-requests", {"user_id": other.id}).body
    assert other.call("POST", f"/v1/friend-requests/{request['id']}/accept").status == 200


def status(viewer: User, user: User) -> str:
    found: str = viewer.get(f"/v1/users/{user.id}/presence")["status"]
    return found


def told(client: Client, user: User) -> list[str]:
    frames = [one for one in client.frames if one["type"] == "presence"]
    return [one["status"] for one in frames if one["user_id"] == user.id]


def test_friends_are_told_who_comes_looks_away_and_goes(
    system: System, ann: User, bob: User, cat: User
) -> None:
    befriend(ann, bob)

    async def scenario() -> None:
        b, c = await connected(system, bob, cat)
        phone = await Client(ann, system.websocket_url).connect()
        await b.until(lambda: told(b, ann) == ["online"])
        laptop = await Client(User(ann.url, ann.name).log_in(), system.websocket_url).connect()

        assert (await phone.ask("presence", status="away"))["type"] == "ok"
        assert (await laptop.ask("presence", status="away"))["type"] == "ok"
        await b.until(lambda: told(b, ann) == ["online", "away"])
        assert await asyncio.to_thread(status, bob, ann) == "away"
        assert (await laptop.ask("presence", status="online"))["type"] == "ok"
        await b.until(lambda: told(b, ann) == ["online", "away", "online"])

        answer = await asyncio.to_thread(ann.call, "POST", "/v1/auth/logout", {"all_devices": True})
        assert answer.status in (200, 204)
        last = await b.frame(lambda one: one["type"] == "presence" and one["status"] == "offline")
        seen = await asyncio.to_thread(bob.get, f"/v1/users/{ann.id}/presence")
        assert seen["last_seen"] == last["last_seen"] is not None
        assert told(c, ann) == [], "no friend"
        for client in (b, c, phone, laptop):
            await client.close()

    asyncio.run(scenario())


def test_a_short_absence_is_no_news(system: System, ann: User, bob: User) -> None:
    befriend(ann, bob)

    async def scenario() -> None:
        b, a = await connected(system, bob, ann)
        await b.until(lambda: told(b, ann) == ["online"])
        left = time.monotonic()
        await a.close()
        await eventually(lambda: status(bob, ann) == "offline")
        await a.connect()
        absent = time.monotonic() - left

        await a.ask("presence", status="away")
        await b.until(lambda: told(b, ann)[-1:] == ["away"])

        # On a machine that is busy elsewhere it may not have been short.
        assert told(b, ann) == ["online", "away"] or absent > 9, "neither offline nor online"
        await a.close()
        await b.close()

    asyncio.run(scenario())


def test_who_shows_themselves_to_friends_only_is_offline_for_others(
    system: System, ann: User, bob: User, cat: User
) -> None:
    befriend(ann, bob)

    async def scenario() -> None:
        b, a = await connected(system, bob, ann)
        await b.until(lambda: told(b, ann) == ["online"])
        assert [status(one, ann) for one in (bob, cat)] == ["online", "online"]

        show(ann, "friends")
        assert [status(one, ann) for one in (bob, cat)] == ["online", "offline"]
        show(ann, "nobody")
        assert [status(one, ann) for one in (bob, cat)] == ["offline", "offline"]
        await b.until(lambda: told(b, ann) == ["online", "offline"])
        await a.close()
        await b.close()

    asyncio.run(scenario())


def show(user: User, whom: str) -> None:
    answer = user.call("PATCH", "/v1/users/me", {"show_presence": whom})
    assert answer.body["show_presence"] == whom


def test_a_presence_frame_that_makes_no_sense_is_refused(system: System, ann: User) -> None:
    async def scenario() -> None:
        (client,) = await connected(system, ann)
        refused = await client.ask("presence", status="offline")
        assert (refused["type"], refused["code"]) == ("error", "invalid_field")
        await client.close()

    asyncio.run(scenario())


def test_a_connection_that_ended_without_a_word_is_found(
    system: System, ann: User, bob: User
) -> None:
    befriend(ann, bob)

    async def scenario() -> None:
        (b,) = await connected(system, bob)
        await asyncio.to_thread(leave_behind, system, ann)
        assert await asyncio.to_thread(status, bob, ann) == "online"

        await asyncio.to_thread(look_for_vanished, system)

        await b.until(lambda: told(b, ann) == ["offline"])
        assert await asyncio.to_thread(status, bob, ann) == "offline"
        await b.close()

    asyncio.run(scenario())


def leave_behind(system: System, user: User) -> None:
    """What stands of a connection whose `$disconnect` never came, and whose friends were told."""
    connection_id = f"{uuid.uuid4().hex[:15]}="
    shard = f"online#{zlib.crc32(connection_id.encode()) % 4}"
    now = time.time()
    entry = {"device": {"S": "d"}, "session": {"S": "s"}}
    entry |= {"at": {"N": f"{now - 3600:.1f}"}, "until": {"N": f"{now + 3600:.1f}"}}
    online = {"pk": {"S": shard}, "sk": {"S": connection_id}, "user_id": {"S": user.id}}
    with contextlib.closing(aws(system, "dynamodb")) as client:
        client.put_item(TableName="lambchat-local-connections", Item=online | entry)
        client.update_item(
            TableName="lambchat-local-connections",
            Key={"pk": {"S": user.id}, "sk": {"S": "live"}},
            UpdateExpression="SET live.#id = :entry, told = :online",
            ExpressionAttributeNames={"#id": connection_id},
            ExpressionAttributeValues={":entry": {"M": entry}, ":online": {"S": "online"}},
        )


def look_for_vanished(system: System) -> None:
    """Runs the function, which its schedule does each quarter of an hour."""
    done = subprocess.run(
        [sys.executable, "-c", "from functions.vanished import handler; handler({}, None)"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )
    assert done.returncode == 0, done.stderr
