"""Who writes, and how far the others have come."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.e2e.client import Client, Frame, User
from tests.e2e.conftest import connected
from tests.e2e.system import System
from tests.e2e.test_groups import group_of


@pytest.fixture
def cat(system: System) -> User:
    return User.new(system.url, "cat")


async def typing(client: Client, conversation_id: object) -> None:
    await client.send_raw(json.dumps({"type": "typing", "conversation_id": conversation_id}))


def seen(client: Client) -> list[Frame]:
    return [one for one in client.frames if one["type"] == "typing"]


@pytest.mark.req("APP-8", "APP-9")
def test_the_others_see_who_writes_and_the_writer_is_not_answered(
    system: System, ann: User, bob: User, cat: User
) -> None:
    room = group_of(ann, bob)

    async def scenario() -> None:
        a, b, c = await connected(system, ann, bob, cat)
        await typing(a, room)
        await b.until(lambda: seen(b) != [])
        for wrong in ("g-none", "", 5):
            await typing(a, wrong)
        await typing(c, room)  # no member
        await typing(a, room)  # too soon

        for client in (a, b, c):
            assert (await client.ask("ping"))["type"] == "pong"
        frame = {"type": "typing", "conversation_id": room, "user_id": ann.id}
        assert (seen(a), seen(b), seen(c)) == ([], [frame], [])
        assert [one for client in (a, c) for one in client.frames if one["type"] == "error"] == []
        for client in (a, b, c):
            await client.close()

    asyncio.run(scenario())


@pytest.mark.req("APP-6")
def test_who_is_blocked_is_not_seen_to_write(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = (await a.say("hello", to=bob.id))["conversation_id"]
        assert bob.call("PUT", f"/v1/blocks/{ann.id}").status in (200, 204)

        await typing(a, room)
        await typing(b, room)

        for client in (a, b):
            await client.ask("ping")
            assert seen(client) == []
            await client.close()

    asyncio.run(scenario())


@pytest.mark.req("APP-13")
def test_who_has_got_and_read_a_message_can_be_looked_up(
    system: System, ann: User, bob: User, cat: User
) -> None:
    room = group_of(ann, bob, cat)

    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        await a.say("hello", conversation_id=room)
        last = (await b.received(room, 2))[-1]["seq"]
        await b.ask("ack", conversation_id=room, seq=last, status="read")
        await a.frame(lambda one: one["type"] == "receipt" and one["seq"] == last)
        for client in (a, b):
            await client.close()

        found = ann.get(f"/v1/conversations/{room}/receipts?seq={last}")["items"]
        assert {one["user_id"]: one["status"] for one in found} == {bob.id: "read", cat.id: None}

    asyncio.run(scenario())
