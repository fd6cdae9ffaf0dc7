"""Bots: what they are told, and what they answer."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.e2e.client import User, call
from tests.e2e.conftest import connected
from tests.e2e.receiver import Receiver, receiving
from tests.e2e.system import System
from tests.e2e.test_webhooks import admin, in_loop, is_signed, until

__all__ = ["admin"]


@pytest.mark.req("APP-19")
@in_loop
async def test_a_bot_answers_what_it_is_told(system: System, admin: User, ann: User) -> None:
    with receiving() as program:
        await _answered(system, admin, program, ann)


async def _answered(system: System, admin: User, program: Receiver, ann: User) -> None:
    program.answer = lambda post: (
        200,
        {"reply": {"content": f"you said {post.body['data']['message']['content']}"}},
    )
    name = f"bot-{uuid.uuid4().hex[:8]}"
    made = admin.call("POST", "/v1/admin/bots", {"username": name, "url": program.url}).body
    bot_id = made["user_id"]
    (client,) = await connected(system, ann)

    await until(lambda: program.posts, client, to=bot_id)
    sent = await client.say("hello", to=bot_id)

    def replied() -> bool:
        known = client.messages[sent["conversation_id"]].values()
        return any(one["content"] == "you said hello" for one in known)

    await client.until(replied)
    replies = [
        one for one in client.ordered(sent["conversation_id"]) if one["content"] == "you said hello"
    ]
    assert [one["sender_id"] for one in replies] == [bot_id]
    assert {post.body["data"]["message"]["sender_id"] for post in program.posts} == {ann.id}
    assert is_signed(program.posts[0], made["secret"])
    await client.close()
    admin.call("DELETE", f"/v1/admin/bots/{bot_id}")


@pytest.mark.req("APP-19")
@in_loop
async def test_a_bot_connects_with_its_token_until_it_gets_another(
    system: System, admin: User, ann: User
) -> None:
    name = f"bot-{uuid.uuid4().hex[:8]}"
    made = admin.call("POST", "/v1/admin/bots", {"username": name}).body
    robot = User(system.url, name, id=made["user_id"], token=made["token"])
    listening, client = await connected(system, robot, ann)

    sent = await client.say("hello", to=robot.id)
    (message,) = await listening.received(sent["conversation_id"], 1)
    await listening.say("beep", to=ann.id)
    renewed = admin.call("POST", f"/v1/admin/bots/{robot.id}/token").body

    assert message["content"] == "hello"
    assert (await client.received(sent["conversation_id"], 2))[1]["content"] == "beep"
    await asyncio.wait_for(listening.closed.wait(), 30)
    assert robot.call("GET", "/v1/users/me").status == 401
    assert call(system.url, "GET", "/v1/users/me", token=renewed["token"]).status == 200
    for one in (listening, client):
        await one.close()
    admin.call("DELETE", f"/v1/admin/bots/{robot.id}")
