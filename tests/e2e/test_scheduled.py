"""Messages that are sent later, in the running system."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.client import User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import ROOT, System

PATH = "/v1/scheduled-messages"


def moment(seconds: float) -> str:
    """So many seconds from now."""
    at = datetime.fromtimestamp(time.time() + seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def schedule(user: User, room: str, content: str, seconds: float = 0.5, **headers: str) -> Any:
    body = {"conversation_id": room, "content": content, "deliver_at": moment(seconds)}
    answer = user.call("POST", PATH, body, headers=headers)
    assert answer.status == 201, answer.body
    return answer.body


def release(system: System) -> None:
    """Runs the function, which its schedule does each minute."""
    done = subprocess.run(
        [sys.executable, "-c", "from functions.scheduled import handler; handler({}, None)"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.req("APP-14")
def test_a_message_is_sent_when_its_time_has_come(system: System, ann: User, bob: User) -> None:
    asyncio.run(_later(system, ann, bob))


async def _later(system: System, ann: User, bob: User) -> None:
    eve = await asyncio.to_thread(User.new, system.url, "eve")
    phone, friend = await connected(system, ann, bob)
    rooms = [
        ann.call("POST", "/v1/conversations", {"user_id": user.id}).body["id"]
        for user in (bob, eve)
    ]
    sent = schedule(ann, rooms[0], "good morning")
    refused = schedule(ann, rooms[1], "hello?")
    cancelled = schedule(ann, rooms[0], "never mind")
    far = schedule(ann, rooms[0], "happy new year", 30 * 86_400)
    assert ann.call("DELETE", f"{PATH}/{cancelled['id']}").status == 204
    assert eve.call("PUT", f"/v1/blocks/{ann.id}").status == 204

    listed = ann.get(PATH)["items"]
    await eventually(lambda: moment(0) > cancelled["deliver_at"])
    await asyncio.to_thread(release, system)
    (message,) = await friend.received(rooms[0], 1)
    event = await phone.frame(lambda frame: frame.get("event") == "scheduled_message.failed")

    assert [one["id"] for one in listed] == [sent["id"], refused["id"], far["id"]]
    assert {one["status"] for one in listed} == {"pending"}
    assert (message["content"], message["sender_id"]) == ("good morning", ann.id)
    assert message["client_msg_id"] == sent["client_msg_id"]
    assert (event["data"]["id"], event["data"]["code"]) == (refused["id"], "blocked")
    left = ann.get(PATH)["items"]
    assert [(one["id"], one["status"]) for one in left] == [
        (refused["id"], "failed"),
        (far["id"], "pending"),
    ]
    assert left[0]["error"]["code"] == "blocked"
    late = ann.call("DELETE", f"{PATH}/{sent['id']}")
    assert (late.status, late.body["code"]) == (409, "conflict")
    assert ann.call("DELETE", f"{PATH}/{refused['id']}").status == 204
    assert bob.call("DELETE", f"{PATH}/{far['id']}").status == 404
    assert len(ann.get(f"/v1/conversations/{rooms[0]}/messages")["items"]) == 1
    for client in (phone, friend):
        await client.close()


@pytest.mark.req("APP-14")
def test_what_cannot_be_scheduled_is_refused(ann: User, bob: User) -> None:
    room = ann.call("POST", "/v1/conversations", {"user_id": bob.id}).body["id"]
    good = {"conversation_id": room, "content": "later", "deliver_at": moment(3600)}
    key = {"Idempotency-Key": "once"}

    first, again = (ann.call("POST", PATH, good, headers=key) for _ in range(2))
    answers = [
        ann.call("POST", PATH, {**good, **change})
        for change in (
            {"deliver_at": moment(-5)},
            {"deliver_at": moment(400 * 86_400)},
            {"deliver_at": "2027-02-30T00:00:00Z"},
            {"conversation_id": "d-a-b"},
            {"status": "sent"},
        )
    ]

    assert first.body == again.body
    assert [one["id"] for one in ann.get(PATH)["items"]] == [first.body["id"]]
    assert [(one.status, one.body["code"]) for one in answers] == [
        *[(422, "invalid_field")] * 3,
        (403, "not_member"),
        (422, "invalid_field"),
    ]
