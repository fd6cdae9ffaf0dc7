"""Rubbish over the wire: a clear error with its code, the connection lives, nothing is lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.e2e.client import Client, Frame, User, call
from tests.e2e.conftest import connected
from tests.e2e.system import System

LIMIT = 16 * 1024


async def exchange(client: Client, text: str | bytes) -> Frame:
    """Sends a frame, and asserts after its answer that the connection lives."""
    before = len(client.frames)
    await client.send_raw(text)
    await client.until(lambda: len(client.frames) > before)
    assert (await client.ask("ping"))["type"] == "pong"
    return client.frames[before]


def send(**changes: Any) -> str:
    body = {"type": "send", "client_msg_id": "c", "conversation_id": "world", "content": "x"}
    return json.dumps({key: value for key, value in {**body, **changes}.items() if value != ...})


@pytest.mark.req("APP-9")
def test_every_wrong_frame_gets_its_error_and_the_connection_lives(
    system: System, ann: User
) -> None:
    cases = [
        ("rubbish", "invalid_json"),
        ("[1, 2]", "invalid_json"),
        ("{}", "unknown_type"),
        ('{"type": 5}', "unknown_type"),
        ('{"type": "shout", "ref": "r"}', "unknown_type"),
        ('{"type": "$connect"}', "unknown_type"),
        ('{"type": "$default"}', "unknown_type"),
        (send(content=...), "invalid_field"),
        (send(client_msg_id=...), "invalid_field"),
        (send(client_msg_id="x" * 65), "invalid_field"),
        (send(content=7), "invalid_field"),
        (send(content="a\0b"), "invalid_field"),
        (send(content_type="system"), "invalid_field"),
        (send(content="x" * (LIMIT + 1)), "too_large"),
        (send(conversation_id=..., to="nobody"), "user_not_found"),
        (send(conversation_id=..., to=ann.id), "self"),
        (send(conversation_id="nowhere"), "conversation_not_found"),
        (send(conversation_id="d-aaaa-bbbb"), "not_member"),
        ('{"type":"send","messages":[]}', "invalid_field"),
        (json.dumps({"type": "send", "messages": [{}] * 26}), "invalid_field"),
        ('{"type":"ack","conversation_id":"world","seq":-1,"status":"read"}', "invalid_field"),
        ('{"type":"ack","conversation_id":"world","seq":1,"status":"seen"}', "invalid_field"),
        ('{"type":"ack","conversation_id":"x","seq":1,"status":"read"}', "conversation_not_found"),
        ('{"type":"sync","cursors":[]}', "invalid_field"),
        ('{"type":"sync","cursors":{"d-aaaa-bbbb":1}}', "not_member"),
    ]

    async def scenario() -> None:
        (client,) = await connected(system, ann)
        for text, code in cases:
            frame = await exchange(client, text)
            assert (frame["type"], frame["code"]) == ("error", code), text
            assert frame["message"]
        await client.close()

    asyncio.run(scenario())


@pytest.mark.req("APP-9")
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (send(content="x" * 33_000), 1009),
        (send(content="x" * 140_000), 1009),
        (b"\x00\x01", 1003),
    ],
    ids=["frame above 32 KiB", "message above 128 KiB", "binary"],
)
def test_beyond_the_gateways_limits_the_connection_closes(
    system: System, ann: User, frame: str | bytes, code: int
) -> None:
    async def scenario() -> int | None:
        (client,) = await connected(system, ann)
        await client.send_raw(frame)
        await asyncio.wait_for(client.closed.wait(), 30)
        assert client.connection is not None
        return client.connection.close_code

    assert asyncio.run(scenario()) == code


ODDITIES = [
    "'; DROP TABLE users; --",
    "<script>alert(1)</script> & &amp;",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "e\u0301\u0327 combining",
    "\u202eright to left\u202c שלום",
    '{"type":"send"}',
    "line\nbreak\ttab \u0001 \u2028",
    "x" * LIMIT,
]


@pytest.mark.req("APP-9")
def test_oddities_are_kept_as_they_are(system: System, ann: User, bob: User) -> None:
    async def scenario() -> None:
        a, b = await connected(system, ann, bob)
        for text in ODDITIES:
            room = (await a.say(text, to=bob.id))["conversation_id"]

        received = await b.received(room, len(ODDITIES))

        assert [one["content"] for one in received] == ODDITIES
        history = ann.get(f"/v1/conversations/{room}/messages?after_seq=0")["items"]
        assert [one["content"] for one in history] == ODDITIES
        await a.close()
        await b.close()

    asyncio.run(scenario())


def test_what_a_client_claims_about_sender_number_and_time_has_no_effect(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        claims = {"sender_id": bob.id, "seq": 99, "created_at": "1999-01-01T00:00:00.000Z"}

        room = (await a.say("me", to=bob.id, **claims))["conversation_id"]

        (message,) = await a.received(room, 1)
        assert (message["sender_id"], message["seq"]) == (ann.id, 1)
        assert not message["created_at"].startswith("1999")
        await a.close()

    asyncio.run(scenario())


@pytest.mark.req("SHAPE-5", "APP-17")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nothing", None, 404),
        ("GET", "/v1/%00", None, 404),
        ("GET", "/v1/users/" + "x" * 100, None, 404),
        ("PUT", "/v1/users/me", {}, 405),
        ("GET", "/v1/conversations?limit=101", None, 400),
        ("GET", "/v1/conversations?limit=many", None, 400),
        ("GET", "/v1/conversations?cursor=rubbish", None, 400),
        ("GET", "/v1/conversations/nowhere", None, 404),
        ("GET", "/v1/conversations/d-aaaa-bbbb/messages", None, 403),
        ("POST", "/v1/conversations", b"rubbish", 400),
        ("POST", "/v1/conversations", [], 400),
        ("POST", "/v1/conversations", {}, 422),
        ("POST", "/v1/conversations", {"user_id": "x", "extra": 1}, 422),
        ("POST", "/v1/conversations/world/messages", {"content": "a\0b"}, 422),
        ("POST", "/v1/conversations/world/messages", {"content": "x" * (LIMIT + 1)}, 413),
    ],
)
def test_rest_rubbish_gets_a_problem_document(
    ann: User, method: str, path: str, body: Any, status: int
) -> None:
    answer = ann.call(method, path, body)

    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert {"type", "title", "detail", "code"} <= answer.body.keys()


def test_another_content_type_is_415(system: System, ann: User) -> None:
    headers = {"Content-Type": "text/plain"}

    answer = ann.call("POST", "/v1/conversations", {"user_id": "x"}, headers=headers)

    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")


def test_without_a_token_rest_is_401(system: System) -> None:
    answer = call(system.url, "GET", "/v1/users/me")

    assert (answer.status, answer.body["code"]) == (401, "unauthorized")
