from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.errors import IMError, InvalidFieldError, InvalidJsonError, TooLargeError
from chalicelib.frames import (
    MAX_CONTENT_BYTES,
    MAX_FRAME_BYTES,
    Draft,
    Rejected,
    answer,
    error_frame,
    message_frames,
    parse_ack,
    parse_object,
    parse_presence,
    parse_send,
    parse_sync,
    parse_typing,
    reference,
    unknown_type,
)

GOOD: dict[str, Any] = {"client_msg_id": "c1", "to": "bob", "content": "hello"}


@pytest.mark.parametrize("text", ["", "hello", "{", "[1]", '"text"', "12", "null", None])
def test_what_is_not_a_json_object_is_invalid_json(text: str | None) -> None:
    with pytest.raises(InvalidJsonError):
        parse_object(text)


def test_deeply_nested_rubbish_is_invalid_json() -> None:
    with pytest.raises(InvalidJsonError):
        parse_object("[" * 30_000)


def test_a_single_message_is_read_and_unknown_members_are_ignored() -> None:
    frame = parse_send({**GOOD, "sender_id": "eve", "seq": 7, "created_at": "yesterday"})

    assert frame.drafts == (Draft(client_msg_id="c1", to="bob", content="hello"),)
    assert not frame.batch


@pytest.mark.parametrize(
    "content",
    [
        "'; DROP TABLE users; --",
        "<b onclick=x>",
        "e\u0301\u0327",
        "\u202eabc",
        "👩‍👩‍👧‍👦",
        "\u0001\t\n",
        "",
    ],
    ids=["sql", "html", "combining", "right to left", "emoji", "control", "empty"],
)
def test_oddities_are_kept_as_they_are(content: str) -> None:
    (draft,) = parse_send({**GOOD, "content": content}).drafts

    assert isinstance(draft, Draft)
    assert draft.content == content


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": None}, "content"),
        ({"content": 5}, "content"),
        ({"content": "a\0b"}, "content"),
        ({"content": "\ud800"}, "content"),
        ({"client_msg_id": ""}, "client_msg_id"),
        ({"client_msg_id": "x" * 65}, "client_msg_id"),
        ({"client_msg_id": 5}, "client_msg_id"),
        ({"to": ["bob"]}, "to"),
        ({"conversation_id": "world"}, "conversation_id"),
        ({"content_type": "system"}, "content_type"),
        ({"content_type": {}}, "content_type"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parse_send({**GOOD, **change})

    assert [one.field for one in caught.value.errors] == [field]


@pytest.mark.parametrize("missing", ["content", "client_msg_id", "to"])
def test_a_missing_field_is_named(missing: str) -> None:
    body = {key: value for key, value in GOOD.items() if key != missing}

    with pytest.raises(InvalidFieldError, match="conversation_id" if missing == "to" else missing):
        parse_send(body)


def test_content_is_bounded_in_bytes() -> None:
    parse_send({**GOOD, "content": "x" * MAX_CONTENT_BYTES})

    with pytest.raises(TooLargeError):
        parse_send({**GOOD, "content": "ä" * (MAX_CONTENT_BYTES // 2 + 1)})


def test_each_message_of_a_batch_is_good_or_has_its_own_error() -> None:
    frame = parse_send({"messages": [GOOD, {**GOOD, "content": 5}, "rubbish"]})

    good, wrong, rubbish = frame.drafts
    assert isinstance(good, Draft)
    assert isinstance(wrong, Rejected)
    assert wrong.client_msg_id == "c1"
    assert isinstance(rubbish, Rejected)
    assert rubbish.client_msg_id is None


@pytest.mark.parametrize("messages", [[], [GOOD] * 26, {}, None, "x"])
def test_a_batch_has_1_to_25_messages(messages: Any) -> None:
    with pytest.raises(InvalidFieldError, match="messages"):
        parse_send({"messages": messages})


@pytest.mark.parametrize(
    "body",
    [
        {"conversation_id": "w", "seq": -1, "status": "read"},
        {"conversation_id": "w", "seq": True, "status": "read"},
        {"conversation_id": "w", "seq": 1.5, "status": "read"},
        {"conversation_id": "w", "seq": 2**60, "status": "read"},
        {"conversation_id": "w", "seq": 1, "status": "seen"},
        {"conversation_id": "w", "seq": 1},
        {"seq": 1, "status": "read"},
    ],
)
def test_a_wrong_ack_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidFieldError):
        parse_ack(body)


def test_sync_takes_cursors_or_none() -> None:
    assert parse_sync({}).cursors is None
    assert parse_sync({"cursors": {"world": 3}}).cursors == {"world": 3}


@pytest.mark.parametrize("cursors", [[], "x", {"world": "3"}, {"world": -1}, {"": 1}])
def test_wrong_cursors_are_refused(cursors: Any) -> None:
    with pytest.raises(InvalidFieldError, match="cursors"):
        parse_sync({"cursors": cursors})


def test_an_answer_repeats_the_ref_and_an_error_names_its_frame() -> None:
    assert json.loads(answer("pong", {"ref": "r1"}, server_time="now")) == {
        "type": "pong",
        "ref": "r1",
        "server_time": "now",
    }
    assert reference({"client_msg_id": "c1", "ref": "r1"}, "client_msg_id", "ref") == "c1"
    assert json.loads(error_frame(TooLargeError("too long"), "c1")) == {
        "type": "error",
        "code": "too_large",
        "message": "too long",
        "ref": "c1",
    }


@pytest.mark.parametrize("body", [{}, {"type": None}, {"type": "shout"}, {"type": 5}])
def test_an_unknown_type_has_a_code(body: dict[str, Any]) -> None:
    error: IMError = unknown_type(body)

    assert error.code == "unknown_type"


def test_messages_are_packed_into_frames_that_the_gateway_takes() -> None:
    bodies = [json.dumps({"seq": n, "content": "ä" * 2000}, ensure_ascii=False) for n in range(40)]

    frames = list(message_frames(bodies))

    assert max(len(frame.encode()) for frame in frames) <= MAX_FRAME_BYTES
    seqs = [one["seq"] for frame in frames for one in json.loads(frame)["messages"]]
    assert seqs == list(range(40))


@pytest.mark.req("APP-8")
def test_a_presence_frame_says_whether_somebody_looks() -> None:
    assert [parse_presence({"status": one}) for one in ("online", "away")] == ["online", "away"]


@pytest.mark.parametrize(
    ("parse", "body", "field"),
    [
        (parse_presence, {}, "status"),
        (parse_presence, {"status": "offline"}, "status"),
        (parse_presence, {"status": ["away"]}, "status"),
        (parse_typing, {}, "conversation_id"),
        (parse_typing, {"conversation_id": ""}, "conversation_id"),
        (parse_typing, {"conversation_id": 5}, "conversation_id"),
    ],
)
def test_what_is_wrong_in_a_frame_of_presence_is_named(
    parse: Any, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidFieldError) as raised:
        parse(body)

    assert [one.field for one in raised.value.errors] == [field]
