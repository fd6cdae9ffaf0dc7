"""Search in one's own conversations, over the wire."""

from __future__ import annotations

import asyncio
import urllib.parse
from typing import Any

import pytest

from tests.e2e.client import User
from tests.e2e.conftest import connected
from tests.e2e.system import System

TEXTS = ("Über den Wolken", "die Wolke", "Sonne", "überall Wolken")


def found(user: User, query: str, **more: Any) -> list[Any]:
    """Everything, over all pages."""
    items: list[Any] = []
    cursor = ""
    while True:
        given = {"query": query, "limit": 2, **more, **({"cursor": cursor} if cursor else {})}
        page = user.get(f"/v1/messages?{urllib.parse.urlencode(given)}")
        items += page["items"]
        if not (cursor := page["next_cursor"] or ""):
            return items


@pytest.mark.req("APP-12")
def test_messages_are_found_by_their_words_and_by_nobody_else(
    system: System, ann: User, bob: User
) -> None:
    asyncio.run(_search(system, ann, bob))


async def _search(system: System, ann: User, bob: User) -> None:
    eve = await asyncio.to_thread(User.new, system.url, "eve")
    (writer,) = await connected(system, ann)
    drafts = [
        {"client_msg_id": f"c{number}", "to": bob.id, "content": text}
        for number, text in enumerate(TEXTS)
    ]
    sent = (await writer.ask("send", messages=drafts))["messages"]
    other = await writer.say("wolkenlos", to=eve.id)
    rooms = [sent[0]["conversation_id"], other["conversation_id"]]
    await writer.received(rooms[0], len(TEXTS))
    await writer.received(rooms[1], 1)
    await writer.close()

    mine = await asyncio.to_thread(found, ann, "WOLKE")

    assert {one["content"] for one in mine} == {TEXTS[0], TEXTS[1], TEXTS[3], "wolkenlos"}
    room = rooms[0]
    seqs = [one["seq"] for one in mine if one["conversation_id"] == room]
    assert seqs == [4, 2, 1]
    for user in (ann, bob):
        both = found(user, "uber wolken", conversation_id=room)
        assert [one["content"] for one in both] == [TEXTS[3], TEXTS[0]]
    assert [one["content"] for one in found(eve, "wolken")] == ["wolkenlos"]
    refused = eve.call("GET", f"/v1/messages?query=wolken&conversation_id={room}")
    assert (refused.status, refused.body["code"]) == (403, "not_member")
    for query in ("", "query=%21", "query=a&cursor=bm8"):
        assert ann.call("GET", f"/v1/messages?{query}").status == 400
