"""Webhooks and bots."""

from __future__ import annotations

import asyncio
import base64
import functools
import hmac
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.e2e.client import Client, User, call, eventually
from tests.e2e.conftest import connected
from tests.e2e.operators import promote
from tests.e2e.receiver import Post, Receiver, never_answering, receiving
from tests.e2e.system import ROOT, System

PATH = "/v1/admin/webhooks"


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@pytest.fixture(scope="module")
def admin(system: System) -> User:
    return promote(system, User.new(system.url, "boss"))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def added(admin: User, receiver: Receiver) -> Iterator[dict[str, Any]]:
    """A webhook that leads to the receiver."""
    body = {
        "url": f"{receiver.url}/in",
        "events": ["message.stored", "group.created", "group.member_added"],
    }
    answer = admin.call("POST", PATH, body)
    assert answer.status == 201, answer.body
    yield answer.body
    assert admin.call("DELETE", f"{PATH}/{answer.body['id']}").status == 204


async def until(true: Callable[[], Any], client: Client, **where: Any) -> None:
    """Writes until something is true: for some seconds nobody knows of a new receiver."""

    async def write() -> None:
        while True:
            await client.say("anybody?", **where)
            await asyncio.sleep(0.3)

    writing = asyncio.create_task(write())
    await eventually(true)
    writing.cancel()


def is_signed(post: Post, secret: str) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    sent = post.headers
    content = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + post.raw
    expected = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return sent["webhook-signature"] == f"v1,{expected}"


def release(system: System) -> None:
    """What the schedule does each minute."""
    subprocess.run(
        [sys.executable, "-c", "from functions.scheduled import handler; handler({}, None)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )


@pytest.mark.req("APP-19")
@in_loop
async def test_a_receiver_is_told_of_messages_and_of_groups(
    system: System, added: dict[str, Any], receiver: Receiver, ann: User, bob: User
) -> None:
    (client,) = await connected(system, ann)
    await until(lambda: receiver.posts, client, to=bob.id)

    sent = await client.say("hello", to=bob.id)
    group = ann.call("POST", "/v1/groups", {"name": "crew"}).body
    ann.call("POST", f"/v1/groups/{group['id']}/members", {"user_ids": [bob.id]})

    posts = await eventually(lambda: receiver.of_message(sent["message_id"]))
    data = posts[0].body["data"]
    assert (posts[0].path, posts[0].body["type"]) == ("/in", "message.stored")
    assert (data["conversation_type"], data["message"]["content"]) == ("direct", "hello")
    assert data["message"]["sender_id"] == ann.id
    assert is_signed(posts[0], added["secret"])
    assert not is_signed(posts[0], "whsec_" + base64.b64encode(bytes(32)).decode())
    (post,) = await eventually(lambda: receiver.of_event("group.member_added", group["id"]))
    assert (post.body["data"]["actor"], post.body["data"]["users"]) == (ann.id, [bob.id])
    assert await eventually(lambda: receiver.of_event("group.created", group["id"]))
    await client.close()


@pytest.mark.req("APP-14", "APP-19")
@in_loop
async def test_what_failed_is_posted_again_with_the_same_id(
    system: System, added: dict[str, Any], receiver: Receiver, ann: User, bob: User
) -> None:
    (client,) = await connected(system, ann)
    await until(lambda: receiver.posts, client, to=bob.id)
    receiver.answer = lambda _post: (500, None)
    sent = await client.say("once more", to=bob.id)
    await eventually(lambda: receiver.of_message(sent["message_id"]))

    receiver.answer = lambda _post: (200, None)

    def again() -> bool:
        release(system)
        return len(receiver.of_message(sent["message_id"])) > 1

    assert await eventually(again)
    first, *_, last = receiver.of_message(sent["message_id"])
    assert first.raw == last.raw
    assert is_signed(last, added["secret"])
    await client.close()


@pytest.mark.req("APP-19")
@in_loop
async def test_a_receiver_that_never_answers_does_not_hold_up_the_others(
    system: System,
    admin: User,
    added: dict[str, Any],
    receiver: Receiver,
    ann: User,
    bob: User,
) -> None:
    (client,) = await connected(system, ann)
    with never_answering() as (url, came):
        dead = admin.call("POST", PATH, {"url": url, "events": ["message.stored"]}).body
        await until(came.is_set, client, to=bob.id)

        sent = await client.say("quick", to=bob.id)
        await eventually(lambda: receiver.of_message(sent["message_id"]), seconds=10)

        assert admin.call("DELETE", f"{PATH}/{dead['id']}").status == 204
    await client.close()


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
    await asyncio.wait_for(listening.closed.wait(), 10)
    assert robot.call("GET", "/v1/users/me").status == 401
    assert call(system.url, "GET", "/v1/users/me", token=renewed["token"]).status == 200
    for one in (listening, client):
        await one.close()
    admin.call("DELETE", f"/v1/admin/bots/{robot.id}")
