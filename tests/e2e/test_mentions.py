"""Unread messages that mention me."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.client import User
from tests.e2e.conftest import connected
from tests.e2e.system import System
from tests.e2e.test_changes import closed, play, updated
from tests.e2e.test_groups import group_of


def counts(user: User, room: str) -> tuple[Any, Any]:
    """The mentions of one conversation, and of all."""
    return user.conversation(room)["unread_mentions"], user.get("/v1/unread")["mentions"]


@pytest.mark.req("APP-13", "APP-15")
def test_mentions_are_unread_until_read_recalled_or_deleted(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        room = await asyncio.to_thread(group_of, ann, bob)
        a, b = await connected(system, ann, bob)
        start = (await asyncio.to_thread(bob.conversation, room))["last_seq"]

        async def say(*mentions: str) -> None:
            answer = await a.say("hear", conversation_id=room, mentions=list(mentions))
            assert answer["type"] == "sent", answer

        for mentions in ((bob.id,), ("all",), (bob.id, ann.id), ("all",), ()):
            await say(*mentions)
        await b.until(lambda: start + 5 in b.messages[room])

        async def unread(user: User) -> tuple[Any, Any]:
            return await asyncio.to_thread(counts, user, room)

        assert (await unread(ann), await unread(bob)) == ((0, 0), (4, 4))
        await b.ask("ack", conversation_id=room, seq=start + 1, status="read")
        assert await unread(bob) == (3, 3)
        await a.ask("recall", conversation_id=room, seq=start + 2)
        await updated(b, lambda one: one.get("recalled", False))
        assert await unread(bob) == (2, 2)
        path = f"/v1/conversations/{room}"
        deleted = await asyncio.to_thread(bob.call, "DELETE", f"{path}/messages/{start + 4}")
        assert (deleted.status, await unread(bob)) == (204, (1, 1))
        await asyncio.to_thread(bob.call, "PUT", f"{path}/settings", {"muted": True})
        assert await unread(bob) == (1, 0)
        read = await asyncio.to_thread(bob.call, "POST", f"{path}/read", {"seq": start + 5})
        assert (read.body["unread_mentions"], await unread(bob)) == (0, (0, 0))
        await closed(a, b)

    play(scenario)
