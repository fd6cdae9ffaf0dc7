"""Webhooks and bots."""

from __future__ import annotations

import asyncio
import base64
import functools
import hmac
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.e2e.client import Client, User, eventually
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
        "events": [
            *("message.stored", "message.edited", "message.reacted", "message.recalled"),
            *("group.created", "group.member_added"),
        ],
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
    return f"v1,{expected}" in sent["webhook-signature"].split()


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


@pytest.mark.req("APP-19")
@in_loop
async def test_a_receiver_is_told_of_edits_reactions_and_recalls(
    system: System, added: dict[str, Any], receiver: Receiver, ann: User, bob: User
) -> None:
    a, b = await connected(system, ann, bob)
    await until(lambda: receiver.posts, a, to=bob.id)
    sent = await a.say("helo", to=bob.id)
    room = sent["conversation_id"]

    def seqs() -> list[int]:
        return [one["seq"] for one in b.ordered(room) if one["id"] == sent["message_id"]]

    await b.until(lambda: bool(seqs()))
    place = {"conversation_id": room, "seq": seqs()[0]}

    async def post_of(event: str) -> Post:
        def found() -> list[Post]:
            return [
                one
                for one in list(receiver.posts)
                if one.body["type"] == event
                and one.body["data"]["message"]["id"] == sent["message_id"]
            ]

        return (await eventually(found))[0]

    await a.ask("edit", **place, content="hello")
    edited = await post_of("message.edited")
    await b.ask("react", **place, emoji="👍")
    reacted = await post_of("message.reacted")
    await a.ask("recall", **place)
    recalled = await post_of("message.recalled")

    assert edited.body["data"]["message"]["content"] == "hello"
    assert (reacted.body["data"]["user_id"], reacted.body["data"]["emoji"]) == (bob.id, "👍")
    assert recalled.body["data"]["message"]["recalled"] is True
    posts = (edited, reacted, recalled)
    assert all(is_signed(one, added["secret"]) for one in posts)
    assert len({sent["message_id"], *(one.headers["webhook-id"] for one in posts)}) == 4
    for client in (a, b):
        await client.close()


@pytest.mark.req("APP-19")
@in_loop
async def test_a_new_secret_signs_beside_the_old_one(
    system: System, admin: User, ann: User, bob: User
) -> None:
    with receiving() as program:
        body = {"url": program.url, "events": ["message.stored"]}
        added = admin.call("POST", PATH, body).body
        (client,) = await connected(system, ann)

        renewed = admin.call("POST", f"{PATH}/{added['id']}/secret").body

        def is_renewed() -> bool:
            return any(is_signed(post, renewed["secret"]) for post in list(program.posts))

        await until(is_renewed, client, to=bob.id)
        assert all(is_signed(post, added["secret"]) for post in list(program.posts))
        assert admin.call("DELETE", f"{PATH}/{added['id']}").status == 204
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
