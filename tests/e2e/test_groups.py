"""Groups over the wire: REST, the conversation, and the frames that tell every device."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.e2e.client import Answer, Client, Frame, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import System

pytestmark = pytest.mark.req("APP-15")
FAR = "2099-01-01T00:00:00.000Z"


@pytest.fixture
def cat(system: System) -> User:
    return User.new(system.url, "cat")


def group_of(owner: User, *others: User, **fields: Any) -> str:
    body = {"name": "Tea", "member_ids": [one.id for one in others], **fields}
    answer = owner.call("POST", "/v1/groups", body)
    assert answer.status == 201, answer.body
    group_id: str = answer.body["id"]
    return group_id


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def roles(user: User, group_id: str) -> dict[str, str]:
    items = user.get(f"/v1/groups/{group_id}/members")["items"]
    return {one["user_id"]: one["role"] for one in items}


def post(user: User, group_id: str, text: str = "hello") -> Answer:
    return user.call("POST", f"/v1/conversations/{group_id}/messages", {"content": text})


def lines(messages: list[Frame]) -> list[Any]:
    return [json.loads(one["content"]) for one in messages if one["type"] == "system"]


def stored(user: User, group_id: str, count: int) -> list[Frame]:
    """A user's history, once it has so many messages."""

    def read() -> list[Frame] | None:
        found: list[Frame] = user.get(f"/v1/conversations/{group_id}/messages?after_seq=0")["items"]
        return found if len(found) >= count else None

    found: list[Frame] = asyncio.run(eventually(read))
    return found


async def told(client: Client, event: str) -> Any:
    return (await client.frame(lambda frame: frame.get("event") == event))["data"]


async def closed(*clients: Client) -> None:
    await asyncio.gather(*(client.close() for client in clients))


def test_a_group_chat_of_three_with_one_offline(
    system: System, ann: User, bob: User, cat: User
) -> None:
    async def scenario() -> None:
        one, other = await connected(system, ann, bob)
        room = group_of(ann, bob, cat)
        created = await told(other, "group.created")
        opened = await told(other, "conversation.created")
        sent = await one.say("hello", conversation_id=room)
        assert sent["type"] == "sent", sent
        seen = await other.received(room, 2)
        assert [message["content"] for message in seen[1:]] == ["hello"]
        assert lines(seen)[0]["event"] == "group.created"
        assert (created["group_id"], opened["conversation_id"]) == (room, room)
        await other.ask("ack", conversation_id=room, seq=2, status="read")
        receipt = await one.frame(lambda frame: frame.get("type") == "receipt")
        assert (receipt["user_id"], receipt["seq"]) == (bob.id, 2)
        (late,) = await connected(system, cat)
        assert [m["seq"] for m in await late.received(room, 2)] == [1, 2]
        assert [user.conversation(room)["unread_count"] for user in (ann, bob, cat)] == [0, 0, 2]
        shown = cat.conversation(room)
        assert (shown["type"], shown["group"]["name"]) == ("group", "Tea")
        assert shown["group"]["role"] == "member"
        listed = [each["id"] for each in cat.get("/v1/conversations")["items"]]
        assert room in listed
        await closed(one, other, late)

    asyncio.run(scenario())


def test_who_is_removed_reads_and_writes_no_more_at_once(
    system: System, ann: User, bob: User, cat: User
) -> None:
    async def scenario() -> None:
        one, gone = await connected(system, ann, bob)
        room = group_of(ann, bob, cat)
        assert (await gone.say("in", conversation_id=room))["type"] == "sent"
        await one.received(room, 2)

        assert ann.call("DELETE", f"/v1/groups/{room}/members/{bob.id}").status == 204

        assert (await gone.say("out", conversation_id=room))["code"] == "not_member"
        assert refusal(post(bob, room)) == (403, "not_member")
        for path in (f"/v1/conversations/{room}/messages", f"/v1/groups/{room}"):
            assert refusal(bob.call("GET", path)) == (403, "not_member")
        assert room not in [each["id"] for each in bob.get("/v1/conversations")["items"]]
        assert (await told(gone, "group.member_removed"))["users"] == [bob.id]
        assert (await gone.ask("sync", cursors={room: 0}))["more"] is False
        await one.say("after", conversation_id=room)
        seen = await one.received(room, 4)
        assert lines(seen)[-1] == {
            "event": "group.member_removed",
            "actor": ann.id,
            "users": [bob.id],
        }
        await gone.ask("ping")
        assert max(gone.messages[room]) == 2
        assert ann.call("DELETE", f"/v1/groups/{room}/members/{bob.id}").status == 204, "again"
        await closed(one, gone)

    asyncio.run(scenario())


def test_mutes_of_one_and_of_all_are_in_force_at_once(ann: User, bob: User, cat: User) -> None:
    room = group_of(ann, bob, cat)
    member = f"/v1/groups/{room}/members/{bob.id}"
    assert post(bob, room).status == 201

    muted = ann.call("PATCH", member, {"muted_until": FAR})
    assert (muted.status, muted.body["muted_until"]) == (200, FAR)
    assert refusal(post(bob, room)) == (403, "muted")
    assert ann.call("PATCH", member, {"muted_until": None}).body["muted_until"] is None
    assert post(bob, room).status == 201

    for wrong in ("2099-13-01T00:00:00Z", "tomorrow", 5):
        answer = ann.call("PATCH", member, {"muted_until": wrong})
        assert refusal(answer) == (422, "invalid_field")
        assert answer.body["errors"][0]["field"] == "muted_until"
    everybody = ann.call("PATCH", f"/v1/groups/{room}", {"muted_until": FAR})
    assert everybody.body["muted_until"] == FAR
    assert refusal(post(bob, room)) == (403, "muted")
    assert ann.call("PATCH", member, {"role": "admin"}).body["role"] == "admin"
    assert [post(user, room).status for user in (ann, bob, cat)] == [201, 201, 403]


def test_a_dismissed_group_is_over_for_everybody(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        one, other = await connected(system, ann, bob)
        room = group_of(ann, bob)
        assert refusal(bob.call("DELETE", f"/v1/groups/{room}")) == (403, "forbidden")

        assert ann.call("DELETE", f"/v1/groups/{room}").status == 204

        await told(other, "group.dismissed")
        assert [line["event"] for line in lines(await other.received(room, 2))] == [
            "group.created",
            "group.dismissed",
        ]
        for user in (ann, bob):
            assert refusal(user.call("GET", f"/v1/groups/{room}")) == (404, "group_not_found")
            history = user.call("GET", f"/v1/conversations/{room}/messages")
            assert refusal(history) == (403, "not_member")
            assert refusal(post(user, room)) == (403, "not_member")
            assert room not in [each["id"] for each in user.get("/v1/conversations")["items"]]
        await closed(one, other)

    asyncio.run(scenario())


def test_roles_profile_and_transfer(ann: User, bob: User, cat: User) -> None:
    room = group_of(ann, bob, cat, avatar="https://example.com/tea.png")
    path = f"/v1/groups/{room}"
    assert refusal(bob.call("PATCH", path, {"name": "Bob's"})) == (403, "forbidden")
    changed = ann.call("PATCH", path, {"name": "Coffee", "announcement": "at five"})
    assert (changed.body["name"], changed.body["announcement"]) == ("Coffee", "at five")
    assert refusal(ann.call("POST", f"{path}/leave")) == (409, "owner_must_transfer")
    assert refusal(bob.call("POST", f"{path}/transfer", {"user_id": bob.id})) == (403, "forbidden")

    transferred = ann.call("POST", f"{path}/transfer", {"user_id": bob.id})

    assert (transferred.body["owner_id"], transferred.body["role"]) == (bob.id, "admin")
    assert roles(cat, room) == {ann.id: "admin", bob.id: "owner", cat.id: "member"}
    assert [ann.call("POST", f"{path}/leave").status for _ in range(2)] == [204, 204]
    assert bob.get(path)["member_count"] == 2
    assert [line["event"] for line in lines(stored(bob, room, 4))] == [
        "group.created",
        "group.updated",
        "group.transferred",
        "group.member_left",
    ]


def test_who_joins_reads_from_there_on(ann: User, bob: User, cat: User) -> None:
    room = group_of(ann, bob)
    assert post(ann, room, "before").status == 201
    assert len(stored(bob, room, 2)) == 2

    joined = cat.call("POST", f"/v1/groups/{room}/join")
    again = cat.call("POST", f"/v1/groups/{room}/join")

    assert (joined.status, again.status, joined.body["member_count"]) == (200, 200, 3)
    assert len(stored(bob, room, 3)) == 3
    newest = cat.get(f"/v1/conversations/{room}/messages")["items"]
    assert [one["seq"] for one in newest] == [3]
    assert [one["seq"] for one in stored(cat, room, 1)] == [3]
    assert cat.conversation(room)["unread_count"] == 0, "the line of one's own joining"
    assert bob.conversation(room)["unread_count"] == 3


def test_members_are_added_and_listed_page_by_page(
    system: System, ann: User, bob: User, cat: User
) -> None:
    room = group_of(ann)
    path = f"/v1/groups/{room}/members"
    assert bob.call("PUT", f"/v1/blocks/{ann.id}").status == 204

    refused = ann.call("POST", path, {"user_ids": [cat.id, bob.id]})
    nobody = ann.call("POST", path, {"user_ids": ["nobody"]})
    bob.call("DELETE", f"/v1/blocks/{ann.id}")
    added = [ann.call("POST", path, {"user_ids": [cat.id, bob.id]}) for _ in range(2)]

    assert refusal(refused) == (403, "blocked")
    assert refusal(nobody) == (404, "user_not_found")
    assert [(one.status, one.body["member_count"]) for one in added] == [(200, 3), (200, 3)]
    first = ann.get(f"{path}?limit=2")
    second = ann.get(f"{path}?limit=2&cursor={first['next_cursor']}")
    listed = [one["user_id"] for one in (*first["items"], *second["items"])]
    assert listed == sorted((ann.id, bob.id, cat.id))
    assert first["items"][0]["user"]["id"] == listed[0]
    assert refusal(User.new(system.url).call("GET", path)) == (403, "not_member")


def test_joining_with_approval(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        one, other = await connected(system, ann, bob)
        room = group_of(ann, join_policy="approval")
        path = f"/v1/groups/{room}"

        asked = [bob.call("POST", f"{path}/join", {"message": "me"}) for _ in range(2)]

        assert [answer.status for answer in asked] == [202, 202]
        assert (await told(one, "group.join_requested"))["user_id"] == bob.id
        (request,) = ann.get(f"{path}/join-requests")["items"]
        assert (request["user_id"], request["message"]) == (bob.id, "me")
        assert refusal(bob.call("GET", f"{path}/join-requests")) == (403, "not_member")
        reject = f"{path}/join-requests/{bob.id}/reject"
        assert [ann.call("POST", reject).status for _ in range(2)] == [204, 204]
        assert (await told(other, "group.join_rejected"))["group_id"] == room
        accept = f"{path}/join-requests/{bob.id}/accept"
        assert refusal(ann.call("POST", accept)) == (404, "not_found")
        assert bob.call("POST", f"{path}/join").status == 202
        assert [ann.call("POST", accept).status for _ in range(2)] == [200, 200]
        assert (await told(other, "group.member_added"))["users"] == [bob.id]
        assert ann.get(f"{path}/join-requests")["items"] == []
        assert bob.get(path)["role"] == "member"
        await closed(one, other)

    asyncio.run(scenario())


def test_an_invite_link_lets_in_so_many_until_it_is_revoked(
    ann: User, bob: User, cat: User
) -> None:
    room = group_of(ann, join_policy="invite")
    path = f"/v1/groups/{room}"
    assert refusal(bob.call("POST", f"{path}/join")) == (403, "forbidden")
    link = ann.call("POST", f"{path}/invite-links", {"max_uses": 1}).body

    def use(user: User, token: str) -> Answer:
        return user.call("POST", "/v1/groups/join-by-link", {"token": token})

    assert [use(bob, link["token"]).status for _ in range(2)] == [200, 200]
    assert refusal(use(cat, link["token"])) == (410, "invite_expired")
    assert [one["uses"] for one in ann.get(f"{path}/invite-links")["items"]] == [1]
    assert refusal(bob.call("POST", f"{path}/invite-links")) == (403, "forbidden")
    endless = ann.call("POST", f"{path}/invite-links").body
    assert ann.call("DELETE", f"{path}/invite-links/{endless['id']}").status == 204
    assert refusal(use(cat, endless["token"])) == (410, "invite_expired")
    for token in ("x", f"{room}.", f"{room}.x", "world.x"):
        assert refusal(use(cat, token)) == (410, "invite_expired")


@pytest.mark.req("IM-6")
def test_the_world_chat_room_is_a_group_that_nobody_changes(ann: User, bob: User) -> None:
    world = ann.get("/v1/groups/world")
    members = ann.get("/v1/groups/world/members?limit=100")

    assert (world["id"], world["role"], world["member_count"]) == ("world", "member", None)
    names = [one["user"]["username"] for one in members["items"]]
    assert names == sorted(names)
    assert ann.name in names
    for method, path, body in (
        ("PATCH", "", {"name": "Ann's"}),
        ("DELETE", "", None),
        ("POST", "/join", None),
        ("POST", "/leave", None),
        ("POST", "/transfer", {"user_id": bob.id}),
        ("POST", "/members", {"user_ids": [bob.id]}),
        ("DELETE", f"/members/{bob.id}", None),
        ("POST", "/invite-links", None),
    ):
        answer = ann.call(method, f"/v1/groups/world{path}", body)
        assert refusal(answer) == (403, "forbidden")


def test_a_repeated_request_makes_no_second_group_and_no_second_line(ann: User, bob: User) -> None:
    body = {"name": "Tea", "member_ids": [bob.id, bob.id, ann.id]}
    key = {"Idempotency-Key": "once"}

    first, again = (ann.call("POST", "/v1/groups", body, headers=key) for _ in range(2))

    assert first.body["id"] == again.body["id"]
    assert first.body["member_count"] == 2
    groups = [one for one in bob.get("/v1/conversations")["items"] if one["type"] == "group"]
    assert len(groups) == 1
