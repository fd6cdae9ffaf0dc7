"""What a request that sends a message may have in it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.http.message_schema import draft, draft_members
from chalicelib.http.schema import check, obj

SOURCE = {"conversation_id": "g-1", "seq": 1}
DRAFT = draft("NewMessage")


@pytest.mark.parametrize(
    "body",
    [
        {"content": ""},
        {"content": "hi", "reply_to": 2**53 - 1, "attachment": {"id": "f-1", "size": 7}},
        {"forward_of": SOURCE},
        {"forward_of": SOURCE, "content": "", "expires_in": 60},
    ],
)
def test_a_message_has_a_content_or_forwards_another(body: dict[str, Any]) -> None:
    assert list(check(DRAFT, body)) == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["content"]),
        ({"content": "x", "forward_of": SOURCE}, ["content"]),
        ({"forward_of": {**SOURCE, "why": ""}}, ["forward_of.why"]),
        ({"content": "", "forward_of": {}}, ["forward_of.conversation_id", "forward_of.seq"]),
        ({"content": "x", "attachment": {"id": "f-1", "url": ""}}, ["attachment.url"]),
        ({"content": "x", "reply_to": 2**53}, ["reply_to"]),
        ({"content": "x", "seq": 1}, ["seq"]),
    ],
)
def test_what_is_wrong_with_a_message_is_named(body: dict[str, Any], fields: list[str]) -> None:
    assert [one.field for one in check(DRAFT, body)] == fields


def test_in_frames_the_objects_of_a_message_may_have_other_members() -> None:
    def opened(**members: Any) -> dict[str, Any]:
        return {**obj(**members), "additionalProperties": True}

    frame = obj(**draft_members(opened))

    assert list(check(frame, {"forward_of": {**SOURCE, "why": ""}})) == []
