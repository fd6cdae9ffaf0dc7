"""Friends and blocks over the wire: REST, and the frames that tell every device."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.client import Answer, Client, Frame, User
from tests.e2e.conftest import connected
from tests.e2e.system import System


def ask(sender: User, receiver: User, message: str = "") -> Answer:
    return sender.call("POST", "/v1/friend-requests", {"user_id": receiver.id, "message": message})


def befriend(one: User, other: User) -> None:
    request = ask(one, other).body["id"]
    assert other.call("POST", f"/v1/friend-requests/{request}/accept").status == 200


def friends(user: User) -> list[str]:
    return [one["user_id"] for one in user.get("/v1/friends")["items"]]


def requests(user: User, direction: str) -> list[Any]:
    found: list[Any] = user.get(f"/v1/friend-requests?direction={direction}")["items"]
    return found


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def post(sender: User, conversation_id: str) -> Answer:
    return sender.call(
        "POST", f"/v1/conversations/{conversation_id}/messages", {"content": "hello"}
    )


async def told(client: Client, event: str) -> Frame:
    """Waits for an event."""
    return await client.frame(lambda frame: frame.get("event") == event)


def events(client: Client) -> list[str]:
    return [frame["event"] for frame in client.frames if frame.get("type") == "event"]


@pytest.mark.req("APP-4")
def test_from_a_request_to_a_friendship(ann: User, bob: User) -> None:
    request = ask(ann, bob, "it is me")
    (received,), (sent,) = requests(bob, "received"), requests(ann, "sent")

    accept = f"/v1/friend-requests/{request.body['id']}/accept"
    answers = [bob.call("POST", accept) for _ in range(2)]

    assert (request.status, request.body["status"]) == (201, "pending")
    assert received["id"] == sent["id"] == request.body["id"]
    assert (received["user"]["id"], received["message"]) == (ann.id, "it is me")
    assert sent["user"]["id"] == bob.id
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body
    assert (friends(ann), friends(bob)) == ([bob.id], [ann.id])
    assert requests(bob, "received")[0]["status"] == "accepted"
    assert ann.get("/v1/friends")["items"][0]["user"]["username"] == bob.name


@pytest.mark.req("APP-4")
def test_what_is_no_request_is_refused_with_its_reason(ann: User, bob: User) -> None:
    assert refusal(ask(ann, ann)) == (400, "self")
    assert refusal(ask(ann, User(ann.url, "nobody", id="nobody"))) == (404, "user_not_found")
    assert ask(ann, bob).status == 201
    assert refusal(ask(ann, bob)) == (409, "already_pending")
    assert bob.call("PUT", f"/v1/blocks/{ann.id}").status == 204
    assert refusal(ask(ann, bob)) == (403, "blocked")
    assert bob.call("DELETE", f"/v1/blocks/{ann.id}").status == 204
    befriend(ann, bob)
    assert refusal(ask(bob, ann)) == (409, "already_friends")


@pytest.mark.req("APP-4")
def test_a_rejected_request_makes_no_friends_and_only_the_receiver_answers(
    ann: User, bob: User
) -> None:
    path = f"/v1/friend-requests/{ask(ann, bob).body['id']}"

    assert ann.call("POST", f"{path}/accept").status == 404
    assert [bob.call("POST", f"{path}/reject").status for _ in range(2)] == [200, 200]
    assert refusal(bob.call("POST", f"{path}/accept")) == (409, "conflict")
    assert (friends(ann), friends(bob)) == ([], [])
    assert ask(ann, bob).status == 201, "they may ask again"


@pytest.mark.req("APP-4")
def test_requests_that_cross_at_the_same_moment_make_friends(system: System) -> None:
    people = [User.new(system.url) for _ in range(4)]
    pairs = [(people[0], people[1]), (people[2], people[3])]

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, *way) for pair in pairs for way in (pair, pair[::-1])]
        answers = [one.result() for one in asked]

    assert [answer.status for answer in answers] == [201] * 4
    for one, other in pairs:
        assert (friends(one), friends(other)) == ([other.id], [one.id])


@pytest.mark.req("APP-5")
def test_a_friend_has_a_remark_and_is_deleted_for_both(ann: User, bob: User) -> None:
    befriend(ann, bob)

    changed = ann.call("PATCH", f"/v1/friends/{bob.id}", {"remark": "Bobby"})
    listed = [user.get("/v1/friends")["items"][0]["remark"] for user in (ann, bob)]
    deleted = [bob.call("DELETE", f"/v1/friends/{ann.id}").status for _ in range(2)]

    assert (changed.status, changed.body["remark"]) == (200, "Bobby")
    assert listed == ["Bobby", ""]
    assert deleted == [204, 204]
    assert (friends(ann), friends(bob)) == ([], [])
    assert ann.call("PATCH", f"/v1/friends/{bob.id}", {"remark": ""}).status == 404


@pytest.mark.req("APP-5", "APP-6")
def test_friends_and_blocks_are_listed_page_by_page(system: System, ann: User) -> None:
    others = [User.new(system.url) for _ in range(3)]
    for other in others:
        befriend(other, ann)
        ann.call("PUT", f"/v1/blocks/{other.id}")

    for path in ("/v1/friends", "/v1/blocks"):
        first = ann.get(f"{path}?limit=2")
        second = ann.get(f"{path}?limit=2&cursor={first['next_cursor']}")
        listed = {one["user_id"]: one["user"]["username"] for one in first["items"]}
        listed |= {one["user_id"]: one["user"]["username"] for one in second["items"]}
        assert listed == {other.id: other.name for other in others}
        assert second["next_cursor"] is None


@pytest.mark.req("APP-7")
def test_every_device_of_both_learns_of_requests_and_friendships(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        phones = await connected(system, ann, bob)
        laptops = await connected(
            system, User(ann.url, ann.name).log_in(), User(bob.url, bob.name).log_in()
        )
        clients = [*phones, *laptops]
        path = f"/v1/friend-requests/{ask(ann, bob, 'it is me').body['id']}"
        requested = [await told(client, "friend.requested") for client in clients]
        bob.call("POST", f"{path}/accept")
        accepted = [await told(client, "friend.accepted") for client in clients]
        ann.call("DELETE", f"/v1/friends/{bob.id}")
        deleted = [await told(client, "friend.deleted") for client in clients]
        bob.call("POST", f"/v1/friend-requests/{ask(ann, bob).body['id']}/reject")
        rejected = [await told(client, "friend.rejected") for client in clients]

        other = [bob.id, ann.id] * 2
        for frames in (requested, accepted, deleted, rejected):
            assert [frame["data"]["user_id"] for frame in frames] == other
        assert {frame["data"]["message"] for frame in requested} == {"it is me"}
        assert {frame["data"]["sender_id"] for frame in accepted} == {ann.id}
        await asyncio.gather(*(client.close() for client in clients))

    asyncio.run(scenario())


@pytest.mark.req("APP-6", "APP-7")
def test_a_block_is_told_to_ones_own_devices_and_to_nobody_else(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        phone, laptop, blocked = await connected(system, ann, User(ann.url, ann.name).log_in(), bob)
        ask(bob, ann)
        await told(blocked, "friend.requested")
        ann.call("PUT", f"/v1/blocks/{bob.id}")

        for client in (phone, laptop):
            frame = await told(client, "block.changed")
            assert frame["data"] == {"user_id": bob.id, "blocked": True}
        ann.call("DELETE", f"/v1/blocks/{bob.id}")
        for client in (phone, laptop):
            await client.until(lambda client=client: events(client).count("block.changed") == 2)
        ask(ann, bob)  # what comes next shows that nothing came in between
        await blocked.until(lambda: events(blocked).count("friend.requested") == 2)
        assert events(blocked) == ["friend.requested"] * 2
        await asyncio.gather(*(client.close() for client in (phone, laptop, blocked)))

    asyncio.run(scenario())


@pytest.mark.req("APP-6")
def test_a_block_refuses_messages_of_the_blocked_side_within_five_seconds(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        blocking, blocked = await connected(system, ann, bob)
        room = (await blocked.say("before", to=ann.id))["conversation_id"]
        await blocking.received(room, 1)
        assert ann.call("PUT", f"/v1/blocks/{bob.id}").status == 204
        in_force = time.monotonic() + 5  # until then a process may remember that bob might write

        begun = 0.0
        while (await blocked.say("now?", conversation_id=room)).get("code") != "blocked":
            assert begun < in_force, "what was begun in the first five seconds may pass"
            begun = time.monotonic()
        while post(bob, room).status != 403:
            assert begun < in_force
            begun = time.monotonic()

        assert refusal(post(bob, room)) == (403, "blocked")
        assert (await blocked.say("by name", to=ann.id))["code"] == "blocked"
        batch = [
            {"client_msg_id": "c1", "conversation_id": room, "content": "x"},
            {"client_msg_id": "c2", "conversation_id": "world", "content": "x"},
        ]
        sent = await blocked.ask("send", messages=batch)
        assert sent["messages"][0]["error"]["code"] == "blocked"
        assert "message_id" in sent["messages"][1]
        history = bob.get(f"/v1/conversations/{room}/messages?after_seq=0")["items"]
        assert history[0]["content"] == "before"
        assert (await blocking.say("but I may", to=bob.id))["type"] == "sent"
        ann.call("DELETE", f"/v1/blocks/{bob.id}")
        assert (await blocked.say("again", conversation_id=room))["type"] == "sent"
        await asyncio.gather(blocking.close(), blocked.close())

    asyncio.run(scenario())


@pytest.mark.req("APP-6")
def test_a_block_ends_pending_requests_and_no_friendship(ann: User, bob: User) -> None:
    ask(bob, ann)
    ann.call("PUT", f"/v1/blocks/{bob.id}")
    pending = requests(ann, "received") + requests(bob, "sent")
    ann.call("DELETE", f"/v1/blocks/{bob.id}")
    befriend(bob, ann)

    assert [ann.call("PUT", f"/v1/blocks/{bob.id}").status for _ in range(2)] == [204, 204]

    assert pending == []
    assert (friends(ann), friends(bob)) == ([bob.id], [ann.id])
    assert [one["user_id"] for one in ann.get("/v1/blocks")["items"]] == [bob.id]
    assert bob.get("/v1/blocks")["items"] == []
    assert refusal(ann.call("PUT", f"/v1/blocks/{ann.id}")) == (400, "self")
    assert refusal(ann.call("PUT", "/v1/blocks/nobody")) == (404, "user_not_found")
