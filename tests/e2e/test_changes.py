"""What happens to messages: edits, recalls, reactions, replies, mentions, forwarding, pins."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.client import Client, Frame, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.operators import aws
from tests.e2e.system import System
from tests.e2e.test_groups import group_of, refusal, told
from tests.e2e.test_scheduled import release

pytestmark = pytest.mark.req("APP-12", "APP-11")


@pytest.fixture
def cat(system: System) -> User:
    return User.new(system.url, "cat")


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(bounded())


async def closed(*clients: Client) -> None:
    await asyncio.gather(*(client.close() for client in clients))


async def updated(client: Client, fits: Callable[[Frame], bool]) -> Frame:
    """The first `updated` frame whose message is as wanted."""
    frame = await client.frame(lambda one: one.get("type") == "updated" and fits(one["message"]))
    return dict(frame["message"])


def message(user: User, room: str, seq: int) -> Frame:
    path = f"/v1/conversations/{room}/messages?after_seq={seq - 1}&limit=1"
    (found,) = user.get(path)["items"]
    return dict(found)


def log_of(system: System, room: str) -> str:
    """What is stored of a conversation's messages."""
    with contextlib.closing(aws(system, "dynamodb")) as client:
        found = client.query(
            TableName="lambchat-local-messages",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": room}},
        )
    return "".join(item["messages"]["S"] for item in found["Items"])


def reactions_of(emoji: str, *users: User) -> Mapping[str, Any]:
    return {emoji: {"count": len(users), "user_ids": sorted(one.id for one in users)}}


def test_an_edit_reaches_every_device_and_history(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        second = User(bob.url, bob.name).log_in()
        a, b1, b2 = await connected(system, ann, bob, second)
        room = (await a.say("helo", to=bob.id))["conversation_id"]
        await b1.received(room, 1)

        place = {"conversation_id": room, "seq": 1}
        ok = await a.ask("edit", **place, content="hello")
        refused = await b1.ask("edit", **place, content="mine")

        assert ok.keys() == {"type", "ref"}
        assert (ok["type"], refused["code"]) == ("ok", "forbidden")
        for client in (a, b1, b2):
            found = await updated(client, lambda one: one["content"] == "hello")
            assert (found["seq"], found["sender_id"], "edited_at" in found) == (1, ann.id, True)
        stored = await asyncio.to_thread(message, bob, room, 1)
        assert stored == found
        listed = await asyncio.to_thread(bob.conversation, room)
        assert listed["last_message"]["content"] == "hello"
        await closed(a, b1, b2)

    play(scenario)


def test_an_edit_while_the_receiver_is_offline_is_seen_on_reading(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        room = (await a.say("old", to=bob.id))["conversation_id"]
        await a.received(room, 1)
        await a.ask("edit", conversation_id=room, seq=1, content="new")
        await updated(a, lambda one: one["content"] == "new")

        (b,) = await connected(system, bob)

        (backlog,) = await b.received(room, 1)
        assert backlog["content"] == "new"
        b.messages.clear()
        await b.ask("sync", cursors={room: 0})
        assert (await b.received(room, 1))[0]["content"] == "new"
        await closed(a, b)

    play(scenario)


def test_a_recalled_message_keeps_its_number_and_nothing_else(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = (await a.say("oops", to=bob.id))["conversation_id"]
        await b.received(room, 1)
        place = {"conversation_id": room, "seq": 1}
        await a.ask("edit", **place, content="oh")

        assert (await b.ask("recall", **place))["code"] == "forbidden"
        assert (await a.ask("recall", **place))["type"] == "ok"

        found = await updated(b, lambda one: one.get("recalled", False))
        assert (found["seq"], found["content"], found["recalled"]) == (1, "", True)
        assert await asyncio.to_thread(message, bob, room, 1) == found
        assert (await asyncio.to_thread(ann.conversation, room))["last_message"] == found
        late = await a.ask("edit", **place, content="again")
        again = await a.ask("recall", **place)
        nothing = await a.ask("recall", conversation_id=room, seq=99)
        assert (late["code"], again["type"]) == ("message_not_found", "ok")
        assert nothing["code"] == "message_not_found"
        await closed(a, b)

    play(scenario)


def test_reactions_of_a_group_of_three(system: System, ann: User, bob: User, cat: User) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = await asyncio.to_thread(group_of, ann, bob, cat)
        await a.say("who is in?", conversation_id=room)
        await b.received(room, 2)
        place = {"conversation_id": room, "seq": 2, "emoji": "👍"}

        assert (await b.ask("react", **place))["type"] == "ok"
        assert (await a.ask("react", **place))["type"] == "ok"
        wanted = reactions_of("👍", ann, bob)
        await updated(b, lambda one: one.get("reactions") == wanted)
        assert (await b.ask("react", **place, remove=True))["type"] == "ok"

        left = reactions_of("👍", ann)
        for client in (a, b):
            await updated(client, lambda one: one.get("reactions") == left)
        assert (await asyncio.to_thread(message, cat, room, 2))["reactions"] == left
        for wrong in ({"seq": 1}, {"emoji": ""}, {"emoji": "no blanks"}):
            assert (await a.ask("react", **{**place, **wrong}))["type"] == "error"
        await closed(a, b)

    play(scenario)


def test_an_admin_recalls_what_a_member_wrote(
    system: System, ann: User, bob: User, cat: User
) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = await asyncio.to_thread(group_of, ann, bob, cat)
        await b.say("spam", conversation_id=room)
        await b.received(room, 2)
        path = f"/v1/conversations/{room}/messages/2/recall"

        refused = await asyncio.to_thread(cat.call, "POST", path)
        taken = await asyncio.to_thread(ann.call, "POST", path)

        assert (refusal(refused), taken.status) == ((403, "forbidden"), 202)
        await updated(b, lambda one: one["seq"] == 2 and one["recalled"])
        system_line = await a.ask("recall", conversation_id=room, seq=1)
        assert system_line["code"] == "forbidden"
        await closed(a, b)

    play(scenario)


def test_the_same_over_rest(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        (b,) = await connected(system, bob)
        room = ann.call("POST", "/v1/conversations", {"user_id": bob.id}).body["id"]
        ann.call("POST", f"/v1/conversations/{room}/messages", {"content": "hello"})
        await b.received(room, 1)
        path = f"/v1/conversations/{room}/messages/1"
        thumb = f"{path}/reactions/{quote('👍🏽')}"

        assert ann.call("PATCH", path, {"content": "Hello!"}).status == 202
        assert bob.call("PUT", thumb).status == 202
        await updated(
            b,
            lambda one: (
                one.get("reactions") == reactions_of("👍🏽", bob) and one["content"] == "Hello!"
            ),
        )
        assert bob.call("DELETE", thumb).status == 202
        await eventually(lambda: "reactions" not in message(ann, room, 1))
        assert refusal(ann.call("PATCH", f"{path}x", {"content": ""}))[0] == 404
        assert refusal(bob.call("PATCH", path, {"content": ""})) == (403, "forbidden")
        assert refusal(ann.call("PATCH", path, {})) == (422, "invalid_field")
        await closed(b)

    play(scenario)


def test_reply_mention_forward_and_expiry(system: System, ann: User, bob: User, cat: User) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = await asyncio.to_thread(group_of, ann, bob)
        first = await a.say("five?", conversation_id=room)
        await b.received(room, 2)

        replied = {"reply_to": 2, "mentions": [ann.id], "expires_in": 3600}
        assert (await b.say("yes", conversation_id=room, **replied))["type"] == "sent"
        answer = (await a.received(room, 3))[-1]
        source = {"conversation_id": room, "seq": 2}
        sent = await b.ask("send", client_msg_id="f1", to=cat.id, forward_of=source)

        reference = {"seq": 2, "id": first["message_id"], "sender_id": ann.id}
        assert (answer["reply_to"], answer["mentions"]) == (reference, [ann.id])
        assert answer["expires_at"] > answer["created_at"]
        direct = sent["conversation_id"]
        (copy,) = await b.received(direct, 1)
        assert (copy["content"], copy["sender_id"]) == ("five?", bob.id)
        assert copy["forwarded_from"]["sender_id"] == ann.id
        for wrong, code in (
            ({"reply_to": 99}, "invalid_field"),
            ({"mentions": [cat.id]}, "invalid_field"),
            ({"mentions": ["all"]}, "forbidden"),
            ({"expires_in": 0}, "invalid_field"),
        ):
            refused = await b.say("no", conversation_id=room, **wrong)
            assert (refused["code"], wrong) == (code, wrong)
        stolen = {"conversation_id": room, "seq": 2}
        (c,) = await connected(system, cat)
        refused = await c.ask("send", client_msg_id="f2", to=bob.id, forward_of=stolen)
        assert refused["code"] == "not_member"
        await closed(a, b, c)

    play(scenario)


def test_a_message_that_lasts_a_second_is_a_tombstone_after_it(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        room = (await a.say("psst", to=bob.id, expires_in=1))["conversation_id"]
        (sent,) = await a.received(room, 1)

        await eventually(lambda: message(bob, room, 1)["content"] == "")

        tombstone = await asyncio.to_thread(message, bob, room, 1)
        assert tombstone["expires_at"] == sent["expires_at"]
        listed = await asyncio.to_thread(bob.conversation, room)
        assert listed["last_message"] == tombstone
        assert "psst" in await asyncio.to_thread(log_of, system, room)
        await asyncio.to_thread(release, system)
        await eventually(lambda: "psst" not in log_of(system, room))
        await closed(a)

    play(scenario)


def test_deleting_for_me_leaves_the_message_to_the_other(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        second = User(bob.url, bob.name).log_in()
        a, b = await connected(system, ann, second)
        room = (await a.say("not for bob", to=bob.id))["conversation_id"]
        await b.received(room, 1)
        path = f"/v1/conversations/{room}/messages"

        answers = [await asyncio.to_thread(bob.call, "DELETE", f"{path}/1") for _ in range(2)]

        assert [one.status for one in answers] == [204, 204]
        assert await told(b, "message.deleted") == {"conversation_id": room, "seq": 1}
        gone, kept = [await asyncio.to_thread(message, one, room, 1) for one in (bob, ann)]
        assert (gone["content"], gone["deleted"], kept["content"]) == ("", True, "not for bob")
        b.messages.clear()
        await b.ask("sync", cursors={room: 0})
        assert (await b.received(room, 1))[0]["content"] == ""
        shown = await asyncio.to_thread(bob.conversation, room)
        assert shown["last_message"]["content"] == ""
        assert refusal(await asyncio.to_thread(bob.call, "DELETE", f"{path}/9"))[0] == 404
        await closed(a, b)

    play(scenario)


def test_pins_of_a_group(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = await asyncio.to_thread(group_of, ann, bob)
        await a.say("read this", conversation_id=room)
        await b.received(room, 2)
        path = f"/v1/conversations/{room}/pins"

        refused = await asyncio.to_thread(bob.call, "PUT", f"{path}/2")
        pinned = [await asyncio.to_thread(ann.call, "PUT", f"{path}/2") for _ in range(2)]

        assert refusal(refused) == (403, "forbidden")
        assert [one.status for one in pinned] == [204, 204]
        assert (await told(b, "message.pinned"))["seq"] == 2
        (item,) = (await asyncio.to_thread(bob.get, path))["items"]
        assert (item["pinned_by"], item["message"]["content"]) == (ann.id, "read this")
        assert (await asyncio.to_thread(ann.call, "DELETE", f"{path}/2")).status == 204
        await told(b, "message.unpinned")
        assert (await asyncio.to_thread(bob.get, path))["items"] == []
        await closed(a, b)

    play(scenario)
