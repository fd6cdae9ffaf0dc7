"""What somebody wants of a conversation, on all devices."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.e2e.client import Client, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import System


def listed(user: User) -> list[str]:
    return [one["id"] for one in user.get("/v1/conversations")["items"]]


async def told(client: Client, event: str) -> Any:
    return (await client.frame(lambda frame: frame.get("event") == event))["data"]


def test_settings_and_drafts_are_the_same_on_every_device(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        phone, laptop, b = await connected(system, ann, User(ann.url, ann.name).log_in(), bob)
        room = (await b.say("hello", to=ann.id))["conversation_id"]
        await phone.received(room, 1)
        path = f"/v1/conversations/{room}"
        body = {"muted": True, "pinned": True}

        changed = (await asyncio.to_thread(ann.call, "PUT", f"{path}/settings", body)).body
        await asyncio.to_thread(ann.call, "PUT", f"{path}/draft", {"content": "Tea?"})

        for client in (phone, laptop):
            assert await told(client, "settings.changed") == changed
            draft = await told(client, "draft.changed")
            assert (draft["conversation_id"], draft["content"]) == (room, "Tea?")
        shown = ann.conversation(room)
        assert (shown["settings"], shown["draft"]["content"]) == (changed, "Tea?")
        assert "draft" not in bob.conversation(room)
        assert listed(ann)[0] == room
        unread = ann.get("/v1/unread")
        assert unread["conversations"].get(room) is None
        assert unread["muted"] == {"total": 1, "mentions": 0, "conversations": {room: 1}}
        for client in (phone, laptop, b):
            await client.close()

    asyncio.run(scenario())


def test_a_hidden_conversation_is_back_with_its_next_message(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = (await b.say("hello", to=ann.id))["conversation_id"]
        await a.received(room, 1)

        assert ann.call("DELETE", f"/v1/conversations/{room}").status == 204
        assert await told(a, "conversation.hidden") == {"conversation_id": room, "last_seq": 1}
        assert (room in listed(ann), room in listed(bob)) == (False, True)
        await b.say("are you there?", to=ann.id)

        assert await eventually(lambda: room in listed(ann))
        for client in (a, b):
            await client.close()

    asyncio.run(scenario())
