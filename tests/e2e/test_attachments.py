"""Files over the wire: uploaded past the API, sent, and downloaded by who may read the message."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.e2e.client import Client, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import System

PICTURE = b"\x89PNG and so on"


def begun(user: User, **other: Any) -> Any:
    body = {"name": "cat.png", "size": len(PICTURE), "content_type": "image/png", **other}
    answer = user.call("POST", "/v1/attachments", body)
    assert answer.status == 201, answer.body
    return answer.body


def put(upload: Any, data: bytes = PICTURE) -> int:
    headers = {key: value for key, value in upload["headers"].items() if key != "Content-Length"}
    request = urllib.request.Request(upload["url"], data, headers, method=upload["method"])
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def downloaded(user: User, path: str) -> bytes:
    with urllib.request.urlopen(user.get(path)["url"], timeout=10) as answer:
        data: bytes = answer.read()
        return data


@pytest.mark.req("APP-10", "APP-11")
def test_a_file_is_uploaded_sent_and_downloaded(system: System, ann: User, bob: User) -> None:
    asyncio.run(_share(system, ann, bob))


async def _share(system: System, ann: User, bob: User) -> None:
    eve = await asyncio.to_thread(User.new, system.url, "eve")
    phone, friend = await connected(system, ann, bob)
    file = await asyncio.to_thread(begun, ann)
    id_ = file["attachment"]["id"]
    draft = {"to": bob.id, "content_type": "image", "attachment": file["attachment"]}

    early = await phone.say("look", "c1", **draft)
    assert (early["type"], early["code"]) == ("error", "not_uploaded")
    assert await asyncio.to_thread(put, file["upload"], b"another size") == 403
    assert await asyncio.to_thread(put, file["upload"]) == 200
    sent = await phone.ask("send", client_msg_id="c2", content="look", **draft)
    room = sent["conversation_id"]
    (message,) = await friend.received(room, 1)

    assert message["attachment"] == {
        "id": id_,
        "name": "cat.png",
        "size": len(PICTURE),
        "content_type": "image/png",
    }
    where = f"/v1/attachments/{id_}?conversation_id={room}&seq=1"
    for user in (ann, bob):
        assert await asyncio.to_thread(downloaded, user, where) == PICTURE
    for user, path, status in (
        (eve, where, 403),
        (bob, f"/v1/attachments/{id_}", 404),
        (bob, where.replace("seq=1", "seq=2"), 404),
        (bob, f"/v1/attachments/{id_}?conversation_id={room}", 400),
    ):
        assert (await asyncio.to_thread(user.call, "GET", path)).status == status
    theft = await friend.say("mine", to=ann.id, attachment={"id": id_})
    assert (theft["type"], theft["code"]) == ("error", "invalid_field")
    for client in (phone, friend):
        await client.close()


@pytest.mark.req("APP-2", "APP-14")
def test_a_file_goes_with_the_last_message_that_has_it(
    system: System, ann: User, bob: User
) -> None:
    asyncio.run(_take_back(system, ann, bob))


async def _take_back(system: System, ann: User, bob: User) -> None:
    phone, friend = await connected(system, ann, bob)
    file = await asyncio.to_thread(begun, ann)
    assert await asyncio.to_thread(put, file["upload"]) == 200
    attachment = file["attachment"]
    sent = await phone.say("look", to=bob.id, attachment=attachment)
    room = sent["conversation_id"]
    await friend.received(room, 1)
    source = {"conversation_id": room, "seq": 1}
    again = await friend.say("", conversation_id=room, forward_of=source)
    assert again["type"] == "sent", again
    await phone.received(room, 2)
    where = f"/v1/attachments/{attachment['id']}?conversation_id={room}&seq="

    async def recalled(user: Client, seq: int) -> None:
        answer = await user.ask("recall", conversation_id=room, seq=seq)
        assert answer["type"] == "ok", answer
        await phone.frame(
            lambda frame: frame.get("type") == "updated" and frame["message"]["seq"] == seq
        )

    await recalled(phone, 1)
    assert (await asyncio.to_thread(bob.call, "GET", f"{where}1")).status == 404
    url = (await asyncio.to_thread(ann.get, f"{where}2"))["url"]
    assert await asyncio.to_thread(status_of, url) == 200
    await recalled(friend, 2)

    def is_gone() -> bool:
        return status_of(url) == 404 and ann.call("GET", where.split("?")[0]).status == 404

    assert await eventually(is_gone)
    late = await phone.say("look", to=bob.id, attachment=attachment)
    assert (late["type"], late["code"]) == ("error", "invalid_field")
    for client in (phone, friend):
        await client.close()


def status_of(url: str) -> int:
    """How a download ends."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.req("APP-2")
def test_an_avatar_is_an_upload_that_everybody_sees(system: System, ann: User, bob: User) -> None:
    file = begun(ann)
    id_ = file["attachment"]["id"]
    early = ann.call("PATCH", "/v1/users/me", {"avatar": id_})
    put(file["upload"])

    changed = ann.call("PATCH", "/v1/users/me", {"avatar": id_})
    stolen = bob.call("PATCH", "/v1/users/me", {"avatar": id_})

    assert (early.status, early.body["code"]) == (409, "not_uploaded")
    assert (changed.status, changed.body["avatar"]) == (200, id_)
    assert (stolen.status, stolen.body["errors"][0]["field"]) == (422, "avatar")
    assert bob.get(f"/v1/users/{ann.id}")["avatar"] == id_
    assert downloaded(bob, f"/v1/attachments/{id_}") == PICTURE


@pytest.mark.req("APP-15")
def test_a_group_has_an_upload_as_avatar(ann: User, bob: User) -> None:
    first, second = begun(ann), begun(ann)
    put(first["upload"])
    id_ = first["attachment"]["id"]
    made = ann.call("POST", "/v1/groups", {"name": "Cats", "avatar": id_, "member_ids": [bob.id]})
    assert (made.status, made.body["avatar"]) == (201, id_)
    path = f"/v1/groups/{made.body['id']}"
    ann.call("PATCH", f"{path}/members/{bob.id}", {"role": "admin"})

    same = bob.call("PATCH", path, {"avatar": id_, "name": "Big cats"})
    stolen = bob.call("PATCH", path, {"avatar": second["attachment"]["id"]})
    early = ann.call("PATCH", path, {"avatar": second["attachment"]["id"]})

    assert (same.status, same.body["avatar"], same.body["name"]) == (200, id_, "Big cats")
    assert (stolen.status, stolen.body["errors"][0]["field"]) == (422, "avatar")
    assert (early.status, early.body["code"]) == (409, "not_uploaded")
    assert downloaded(bob, f"/v1/attachments/{id_}") == PICTURE
    put(second["upload"])
    assert ann.call("PATCH", path, {"avatar": second["attachment"]["id"]}).status == 200
    assert bob.get(path)["avatar"] == second["attachment"]["id"]


def test_a_repeated_request_begins_one_upload(ann: User) -> None:
    body = {"name": "a.txt", "size": 1, "content_type": "text/plain"}
    key = {"Idempotency-Key": "the-same"}

    first, again = (ann.call("POST", "/v1/attachments", body, headers=key) for _ in range(2))
    refused = ann.call("POST", "/v1/attachments", {**body, "size": 200 * 2**20})

    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert (refused.status, refused.body["code"]) == (413, "too_large")
