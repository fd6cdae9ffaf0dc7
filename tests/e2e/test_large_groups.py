"""Groups of hundreds and of thousands, walked through feature by feature."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from chalicelib.models import LARGE_GROUP
from tests.e2e.client import Answer, Client, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.crowd import accounts, enrol, people
from tests.e2e.system import System
from tests.e2e.test_groups import closed, group_of, lines, post, refusal

pytestmark = pytest.mark.req("APP-15", "TASK-6")
FAR = "2099-01-01T00:00:00.000Z"


def ok(answer: Answer) -> Any:
    assert answer.status in (200, 201, 202, 204), answer.body
    return answer.body


def members(user: User, room: str) -> list[str]:
    """All of them, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        page = user.get(f"/v1/groups/{room}/members?limit=100{cursor}")
        found += [one["user_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def history(user: User, room: str, direction: str, start: int) -> list[int]:
    """The numbers of all messages from one end to the other."""
    found: list[int] = []
    while True:
        at = found[-1] if found else start
        path = f"/v1/conversations/{room}/messages?limit=100&{direction}_seq={at}"
        items = user.get(path)["items"]
        if not items:
            return found
        found += [one["seq"] for one in items]


def test_a_group_of_two_hundred_through_every_feature(system: System) -> None:
    ann, bob, cat, dan, eve = accounts(system, 5)
    ghosts = people(system, 195)
    room = group_of(ann, bob, cat, avatar="https://example.com/tea.png")
    path = f"/v1/groups/{room}"
    ok(ann.call("POST", f"{path}/members", {"user_ids": ghosts}))

    async def scenario() -> None:
        one, other = await connected(system, ann, bob)
        ok(ann.call("PATCH", f"{path}/members/{bob.id}", {"role": "admin"}))
        await talk(one, other, room)
        assert cat.conversation(room)["unread_count"] == cat.conversation(room)["last_seq"]
        await closed(one, other)

    asyncio.run(scenario())
    assert set(members(ann, room)) == {ann.id, bob.id, cat.id, *ghosts}
    who_may_do_what(ann, bob, cat, room)
    who_gets_in(ann, bob, dan, eve, room)
    ok(bob.call("DELETE", f"{path}/members/{ghosts[0]}"))
    ok(cat.call("POST", f"{path}/leave"))
    assert refusal(cat.call("GET", path)) == (403, "not_member")
    ok(ann.call("POST", f"{path}/transfer", {"user_id": bob.id}))
    assert ann.get(path)["member_count"] == 5 + 195 - 2
    numbers = history(ann, room, "after", 0)
    last = len(numbers)  # system lines may still be on their way
    assert numbers == list(range(1, last + 1))
    assert history(ann, room, "before", last + 1) == list(range(last, 0, -1))
    the_owner_goes(ann, bob, room)


async def talk(one: Client, other: Client, room: str) -> None:
    """A message that is read, edited, reacted to and recalled."""
    seq = await said(one, other, room)
    await other.ask("ack", conversation_id=room, seq=seq, status="read")
    receipt = await one.frame(lambda frame: frame.get("type") == "receipt")
    assert (receipt["user_id"], receipt["seq"]) == (other.user.id, seq)
    await change(one, other, room, seq)


async def said(one: Client, other: Client, room: str) -> int:
    """The number of a message that another has got."""
    sent = await one.say("five o'clock", conversation_id=room)
    assert sent["type"] == "sent", sent

    def found() -> list[int]:
        return [m["seq"] for m in other.ordered(room) if m["id"] == sent["message_id"]]

    await other.until(lambda: bool(found()))
    (seq,) = found()
    return seq


async def change(one: Client, other: Client, room: str, seq: int) -> None:
    """Edits, reacts to and recalls a message before another's eyes."""
    changes = {"edit": {"content": "six o'clock"}, "react": {"emoji": "👍"}, "recall": {}}
    for kind, more in changes.items():
        answer = await one.ask(kind, conversation_id=room, seq=seq, **more)
        assert answer["type"] == "ok", answer
    # Changes that are carried out together are told once.
    await other.frame(
        lambda frame: frame.get("type") == "updated" and "recalled" in frame["message"]
    )


def who_may_do_what(ann: User, bob: User, cat: User, room: str) -> None:
    path = f"/v1/groups/{room}"
    ok(bob.call("PATCH", path, {"announcement": "at five", "name": "Tea time"}))
    assert refusal(cat.call("PATCH", path, {"name": "mine"})) == (403, "forbidden")
    ok(bob.call("PATCH", f"{path}/members/{cat.id}", {"muted_until": FAR}))
    assert refusal(post(cat, room)) == (403, "muted")
    ok(bob.call("PATCH", f"{path}/members/{cat.id}", {"muted_until": None}))
    ok(bob.call("PATCH", path, {"muted_until": FAR}))
    assert [post(user, room).status for user in (ann, bob, cat)] == [201, 201, 403]
    ok(bob.call("PATCH", path, {"muted_until": None}))
    ok(post(cat, room))


def who_gets_in(ann: User, bob: User, dan: User, eve: User, room: str) -> None:
    path = f"/v1/groups/{room}"
    ok(ann.call("PATCH", path, {"join_policy": "approval"}))
    assert dan.call("POST", f"{path}/join", {"message": "me"}).status == 202
    ok(bob.call("POST", f"{path}/join-requests/{dan.id}/accept"))
    ok(ann.call("PATCH", path, {"join_policy": "invite"}))
    link = ok(bob.call("POST", f"{path}/invite-links", {"max_uses": 1}))
    ok(eve.call("POST", "/v1/groups/join-by-link", {"token": link["token"]}))
    assert {dan.id, eve.id} <= set(members(ann, room))


def the_owner_goes(ann: User, bob: User, room: str) -> None:
    """Deletes the account of who owns the group: an admin takes over, and dismisses it."""
    ok(bob.call("DELETE", "/v1/users/me/data"))

    def left() -> bool:
        group: dict[str, Any] = ann.get(f"/v1/groups/{room}")
        return bool(group["owner_id"] == ann.id and group["member_count"] == 197)

    asyncio.run(eventually(left))
    said = lines(ann.get(f"/v1/conversations/{room}/messages?limit=5")["items"])
    assert {"group.transferred", "group.member_left"} <= {line["event"] for line in said}
    ok(ann.call("DELETE", f"/v1/groups/{room}"))
    assert refusal(ann.call("GET", f"/v1/groups/{room}")) == (404, "group_not_found")


def test_a_change_in_a_large_group_reaches_who_is_online(system: System) -> None:
    ann, bob = accounts(system, 2)
    room = group_of(ann, bob)
    enrol(system, room, [uuid.uuid4().hex for _ in range(LARGE_GROUP + 1)])

    async def scenario() -> None:
        one, other = await connected(system, ann, bob)
        for client in (one, other):
            await client.received(room, 1)
        sent = await one.say("five o'clock", conversation_id=room, mentions=["all"])

        def seqs() -> list[int]:
            return [m["seq"] for m in other.ordered(room) if m["id"] == sent.get("message_id")]

        await other.until(lambda: bool(seqs()))
        (seq,) = seqs()
        answer = await one.ask("edit", conversation_id=room, seq=seq, content="six o'clock")
        assert answer["type"] == "ok", answer
        for client in (one, other):
            found = await client.frame(lambda frame: frame.get("type") == "updated")
            assert (found["message"]["seq"], found["message"]["content"]) == (seq, "six o'clock")
        unread = (await asyncio.to_thread(bob.conversation, room))["unread_mentions"]
        assert unread == 1
        await closed(one, other)

    asyncio.run(scenario())


ONLINE = 50


@pytest.mark.full
@pytest.mark.timeout(240)  # 60 s on an idle machine; others may be testing beside
def test_a_group_of_ten_thousand(system: System) -> None:
    ann, *others = accounts(system, ONLINE)
    bob, cat, dan = others[:3]
    room = group_of(ann, *others)
    path = f"/v1/groups/{room}"
    ghosts = [uuid.uuid4().hex for _ in range(10_000 - ONLINE)]
    enrol(system, room, ghosts)
    assert ann.get(path)["member_count"] == 10_000
    assert refusal(ann.call("POST", f"{path}/members", {"user_ids": people(system, 1)})) == (
        409,
        "group_full",
    )

    async def scenario() -> None:
        clients = await connected(system, ann, *others)
        writer, reader = clients[:2]
        for client in clients:  # the backlog first: it may bring once more what is pushed meanwhile
            await client.received(room, 1)
        for number in range(5):
            batch = [
                {"client_msg_id": f"{number}-{at}", "conversation_id": room, "content": f"{at}"}
                for at in range(20)
            ]
            answer = await writer.ask("send", messages=batch)
            assert [one.get("error") for one in answer["messages"]] == [None] * 20
        last = 1 + 100  # the line of its creation
        for client in clients:
            await client.until(lambda one=client: len(one.messages[room]) >= last)
            assert sorted(client.messages[room]) == list(range(1, last + 1))
            assert client.duplicates == 0
        assert bob.conversation(room)["unread_count"] == last
        await reader.ask("ack", conversation_id=room, seq=last - 7, status="read")
        assert bob.conversation(room)["unread_count"] == 7
        await closed(*clients)

    asyncio.run(scenario())
    last = 101
    assert history(cat, room, "after", 0) == list(range(1, last + 1))
    assert history(cat, room, "before", last + 1) == list(range(last, 0, -1))
    assert set(members(ann, room)) == {ann.id, *(one.id for one in others), *ghosts}
    ok(ann.call("PATCH", f"{path}/members/{bob.id}", {"role": "admin"}))
    ok(bob.call("DELETE", f"{path}/members/{ghosts[0]}"))
    ok(dan.call("POST", f"{path}/leave"))
    assert refusal(post(dan, room)) == (403, "not_member")
    assert ann.get(path)["member_count"] == 9_998
    missed(system, cat, room)
    asyncio.run(changing(system, ann, bob, room))
    who_may_do_what(ann, bob, cat, room)
    (eve,) = accounts(system, 1)
    who_gets_in(ann, bob, dan, eve, room)
    ok(ann.call("POST", f"{path}/transfer", {"user_id": bob.id}))
    ok(bob.call("DELETE", path))
    assert refusal(ann.call("GET", path)) == (404, "group_not_found")


async def changing(system: System, ann: User, bob: User, room: str) -> None:
    """A message is changed before the eyes of one of thousands."""
    one, other = await connected(system, ann, bob)
    await change(one, other, room, await said(one, other, room))
    await closed(one, other)


def missed(system: System, user: User, room: str) -> None:
    """Who was away has no pointer; what is after the last acknowledged message comes."""

    async def scenario() -> None:
        last = user.conversation(room)["last_seq"]
        (late,) = await connected(system, user)
        await late.until(lambda: max(late.messages[room], default=0) >= last)
        await closed(late)

    asyncio.run(scenario())
