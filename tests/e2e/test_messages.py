"""Messages over the wire, as the contract promises them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.e2e.client import User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import System

Scenario = Callable[[], Awaitable[None]]


def play(scenario: Scenario) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(bounded())


@pytest.mark.req("APP-10", "APP-11", "SHAPE-2", "SHAPE-3")
def test_a_message_is_answered_and_reaches_every_device_of_both(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        second = User(bob.url, bob.name).log_in()
        a, b1, b2 = await connected(system, ann, bob, second)

        sent = await a.say("hello", "c-1", to=bob.id)

        room = sent["conversation_id"]
        assert sent["type"] == "sent"
        assert sent["client_msg_id"] == "c-1"
        for client in (a, b1, b2):
            (message,) = await client.received(room, 1)
            assert message["id"] == sent["message_id"]
            assert (message["seq"], message["sender_id"]) == (1, ann.id)
            assert (message["type"], message["content"]) == ("text", "hello")
            assert message["client_msg_id"] == "c-1"
            await client.close()

    play(scenario)


@pytest.mark.req("APP-14")
def test_the_same_client_msg_id_gives_the_same_message(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        answers = [await a.say("once", "c-1", to=bob.id) for _ in range(3)]
        last = await a.say("then", "c-2", to=bob.id)

        received = await a.received(last["conversation_id"], 2)

        assert len({one["message_id"] for one in answers}) == 1
        assert [one["content"] for one in received] == ["once", "then"]
        await a.close()

    play(scenario)


@pytest.mark.req("APP-10")
def test_a_frame_of_25_messages_is_answered_and_numbered_in_order(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        drafts = [{"client_msg_id": f"c-{n}", "to": bob.id, "content": str(n)} for n in range(25)]

        answer = await a.ask("send", messages=drafts)

        assert [one["client_msg_id"] for one in answer["messages"]] == [
            one["client_msg_id"] for one in drafts
        ]
        received = await b.received(answer["messages"][0]["conversation_id"], 25)
        assert [one["content"] for one in received] == [str(n) for n in range(25)]
        await a.close()
        await b.close()

    play(scenario)


@pytest.mark.req("APP-11")
def test_the_backlog_comes_at_each_connect_until_it_is_acknowledged(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        for number in range(3):
            room = (await a.say(str(number), to=bob.id))["conversation_id"]
        await a.received(room, 3)

        for _ in range(2):
            (b,) = await connected(system, bob)
            assert [one["seq"] for one in await b.received(room, 3)] == [1, 2, 3]
            await b.close()
        (b,) = await connected(system, bob)
        await b.received(room, 3)
        await b.ask("ack", conversation_id=room, seq=3, status="delivered")
        await b.close()
        (b,) = await connected(system, bob)
        assert (await b.ask("sync"))["more"] is False
        assert b.ordered(room) == []
        await a.close()
        await b.close()

    play(scenario)


@pytest.mark.req("APP-13")
def test_the_sender_sees_delivered_and_read(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        room = (await a.say("read me", to=bob.id))["conversation_id"]
        await b.received(room, 1)

        for status in ("delivered", "read"):
            acked = await b.ask("ack", conversation_id=room, seq=1, status=status)
            assert (acked["seq"], acked["status"]) == (1, status)
            receipt = await a.frame(
                lambda one, status=status: one["type"] == "receipt" and one["status"] == status
            )
            assert (receipt["user_id"], receipt["seq"]) == (bob.id, 1)
        await a.close()
        await b.close()

    play(scenario)


@pytest.mark.req("APP-13", "IM-5")
def test_unread_counts_leave_out_what_was_read_and_ones_own(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        for number in range(3):
            room = (await a.say(str(number), to=bob.id))["conversation_id"]
        await b.say("mine", to=ann.id)
        await b.received(room, 4)

        await b.ask("ack", conversation_id=room, seq=1, status="read")

        await eventually(lambda: bob.conversation(room)["last_seq"] == 4)
        seen = bob.conversation(room)
        assert (seen["read_seq"], seen["unread_count"]) == (1, 2)
        assert bob.get("/v1/unread")["conversations"][room] == 2
        assert ann.conversation(room)["unread_count"] == 1
        assert bob.call("POST", f"/v1/conversations/{room}/read", {"seq": 99}).body["seq"] == 4
        assert bob.conversation(room)["unread_count"] == 0
        await a.close()
        await b.close()

    play(scenario)


@pytest.mark.req("APP-12")
def test_history_pages_both_ways_and_lists_the_conversation_with_the_other_person(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        for number in range(12):
            room = (await a.say(str(number), to=bob.id))["conversation_id"]
        await a.received(room, 12)
        path = f"/v1/conversations/{room}/messages"

        def seqs(query: str) -> list[int]:
            return [one["seq"] for one in bob.get(path + query)["items"]]

        assert seqs("?limit=5") == [12, 11, 10, 9, 8]
        assert seqs("?before_seq=4") == [3, 2, 1]
        assert seqs("?after_seq=3&limit=4") == [4, 5, 6, 7]
        cursor = bob.get(path + "?after_seq=3&limit=4")["next_cursor"]
        assert seqs(f"?after_seq=3&limit=4&cursor={cursor}") == [8, 9, 10, 11]
        await eventually(lambda: bob.conversation(room)["last_seq"] == 12)
        listed = {one["id"]: one for one in bob.get("/v1/conversations")["items"]}
        assert listed[room]["user"]["id"] == ann.id
        assert listed[room]["last_message"]["seq"] == 12
        assert "world" in listed
        await a.close()

    play(scenario)


@pytest.mark.req("IM-6")
def test_everybody_is_in_the_world_room_from_where_it_stood_at_registration(
    system: System, ann: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        before = await a.say("before", conversation_id="world")
        await eventually(
            lambda: (
                (ann.conversation("world")["last_message"] or {}).get("id") == before["message_id"]
            )
        )
        late = await asyncio.to_thread(User.new, system.url, "late")
        (b,) = await connected(system, late)

        after = await a.say("after", conversation_id="world")

        await b.frame(
            lambda one: (
                one["type"] == "messages"
                and any(m["id"] == after["message_id"] for m in one["messages"])
            )
        )
        assert before["message_id"] not in [one["id"] for one in b.ordered("world")]
        await a.close()
        await b.close()

    play(scenario)


@pytest.mark.req("IM-10")
def test_a_direct_conversation_is_found_again_and_never_doubled(ann: User, bob: User) -> None:
    first = ann.call("POST", "/v1/conversations", {"user_id": bob.id})
    again = bob.call("POST", "/v1/conversations", {"user_id": ann.id})

    assert (first.status, again.status) == (201, 200)
    assert first.body["id"] == again.body["id"]
    assert first.body["last_message"] is None


def test_a_message_sent_over_rest_arrives_like_any_other(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (b,) = await connected(system, bob)
        room = ann.call("POST", "/v1/conversations", {"user_id": bob.id}).body["id"]

        sent = ann.call("POST", f"/v1/conversations/{room}/messages", {"content": "by post"})

        assert sent.status == 201
        (message,) = await b.received(room, 1)
        assert message["id"] == sent.body["message_id"]
        await b.close()

    play(scenario)
