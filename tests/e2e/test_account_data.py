"""Taking one's data along, and leaving, over the wire."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import pytest

from tests.e2e.client import DEADLINE_SECONDS, PASSWORD, User, call, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import System

PATH = "/v1/users/me/data"


def befriend(one: User, other: User) -> None:
    request = one.call("POST", "/v1/friend-requests", {"user_id": other.id}).body
    accepted = other.call("POST", f"/v1/friend-requests/{request['id']}/accept")
    assert accepted.status == 200, accepted.body


def finished(user: User) -> Any:
    """The export when it is done."""
    answer = user.call("GET", PATH)
    assert answer.status == (200 if answer.body["status"] == "done" else 202), answer.body
    return answer.body if answer.status == 200 else None


@pytest.mark.req("TASK-6", "APP-2")
def test_a_user_takes_their_data_along(system: System, ann: User, bob: User) -> None:
    async def run() -> None:
        befriend(ann, bob)
        (phone,) = await connected(system, ann)
        sent = await phone.say("remember this", to=bob.id)
        await phone.received(sent["conversation_id"], 1)

        begun = await asyncio.to_thread(ann.call, "GET", PATH)
        export = await eventually(lambda: finished(ann))
        await phone.frame(lambda frame: frame.get("event") == "data.exported")
        await phone.close()

        assert (begun.status, begun.body["status"]) == (202, "running")
        assert begun.body["id"] == export["id"]
        with urllib.request.urlopen(export["url"], timeout=10) as answer:
            document = json.load(answer)
        assert document["profile"]["username"] == ann.name
        assert [one["user_id"] for one in document["friends"]] == [bob.id]
        assert [one["content"] for one in document["messages"]] == ["remember this"]
        assert "hash" not in json.dumps(document)

    asyncio.run(run())


@pytest.mark.req("TASK-6", "APP-2")
def test_a_user_leaves_and_what_others_have_stays(system: System, ann: User, bob: User) -> None:
    async def run() -> None:
        befriend(ann, bob)
        phone, friend = await connected(system, ann, bob)
        sent = await phone.say("goodbye", to=bob.id)
        room = sent["conversation_id"]
        await friend.received(room, 1)

        answer = await asyncio.to_thread(ann.call, "DELETE", PATH)

        assert (answer.status, answer.body) == (202, None)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await phone.closed.wait()
        is_over(ann)
        await friend.frame(
            lambda frame: (
                frame.get("event") == "friend.deleted" and frame["data"]["user_id"] == ann.id
            )
        )
        await eventually(lambda: bob.get("/v1/friends")["items"] == [])
        await eventually(lambda: bob.call("GET", f"/v1/users/{ann.id}/presence").status == 404)
        history = bob.get(f"/v1/conversations/{room}/messages")["items"]
        assert [(one["sender_id"], one["content"]) for one in history] == [(ann.id, "goodbye")]
        assert "user" not in bob.conversation(room)
        for where in ({"to": ann.id}, {"conversation_id": room}):
            refused = await friend.say("come back", **where)
            assert (refused["type"], refused["code"]) == ("error", "user_not_found")
        await friend.close()

    asyncio.run(run())


def is_over(user: User) -> None:
    """Nobody comes in under an account, by any way, and nobody gets its name."""
    credentials = {"username": user.name, "password": PASSWORD}
    login = call(user.url, "POST", "/v1/auth/login", credentials)
    again = call(user.url, "POST", "/v1/auth/register", credentials)
    spent = {"refresh_token": user.refresh_token}
    refreshed = call(user.url, "POST", "/v1/auth/refresh", spent)
    codes = [one.body["code"] for one in (user.call("GET", PATH), login, again, refreshed)]
    assert codes == ["unauthorized", "invalid_credentials", "username_taken", "unauthorized"]
