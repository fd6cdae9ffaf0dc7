"""What becomes of a message, whatever order its changes come in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logic.overlay import edited, is_gone, overlaid, reacted
from chalicelib.models import Change, Changed, ChangeKind, OwnMarks, Placed, rfc3339

ROOM = "d-ann-bob"
NOW = rfc3339(1_700_000_000)
USERS = ("ann", "bob", "cat")


def change(kind: ChangeKind = ChangeKind.EDIT, **fields: Any) -> Change:
    defaults = {"user_id": "ann", "at": NOW, "id": "1", "content": "", "emoji": "", "remove": False}
    return Change(conversation_id=ROOM, seq=1, kind=kind, **{**defaults, **fields})


def react(user_id: str = "ann", emoji: str = "👍", **fields: Any) -> Change:
    return change(ChangeKind.REACT, user_id=user_id, emoji=emoji, **fields)


def placed(**members: Any) -> Placed:
    body = {"id": "m1", "sender_id": "ann", "seq": 1, "content": "hello", "type": "text", **members}
    return Placed(ROOM, 1, "ann", "m1", json.dumps(body))


def after(changes: Iterable[Change]) -> tuple[Changed, dict[str, OwnMarks]]:
    state = Changed(conversation_id=ROOM, seq=1)
    marks = {one: OwnMarks(conversation_id=ROOM, seq=1, user_id=one) for one in USERS}
    for one in changes:
        if one.kind is ChangeKind.EDIT:
            state = edited(state, one) or state
        elif both := reacted(state, marks[one.user_id], one):
            state, marks[one.user_id] = both
    return state, marks


def seen(changes: Iterable[Change], user: str = "", message: Placed | None = None) -> Any:
    state, marks = after(changes)
    return json.loads(overlaid(message or placed(), state, marks.get(user), NOW).text)


CHANGES = st.builds(
    lambda edit, user, emoji, at, number, remove: (
        change(content=str(number), at=rfc3339(at), id=str(number))
        if edit
        else react(user, emoji, at=rfc3339(at), id=str(number), remove=remove)
    ),
    st.booleans(),
    st.sampled_from(USERS),
    st.sampled_from("👍👎"),
    st.integers(1, 5),
    st.integers(1, 5),
    st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(CHANGES, max_size=12, unique_by=lambda one: (one.at, one.id)),
    data=st.data(),
)
def test_any_order_and_any_repetition_of_changes_ends_the_same(
    changes: Sequence[Change], data: st.DataObject
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(changes))) if changes else []
    shuffled = data.draw(st.permutations([*changes, *repeated]))

    assert seen(shuffled) == seen(sorted(changes, key=lambda one: (one.at, one.id)))
    assert after(shuffled) == after(changes)


def test_an_edit_shows_the_new_content_and_when() -> None:
    body = seen([change(content="hallo")])

    assert (body["content"], body["edited_at"]) == ("hallo", NOW)


def test_a_later_edit_wins_and_at_the_same_moment_the_greater_id() -> None:
    early, late = change(content="early", at=rfc3339(1)), change(content="late", at=rfc3339(2))
    twin = change(content="twin", at=rfc3339(2), id="2")

    assert seen([late, early])["content"] == "late"
    assert seen([twin, late, early])["content"] == "twin"


def test_reactions_are_counted_once_a_user_and_emoji() -> None:
    body = seen([react("ann"), react("ann", id="2"), react("bob"), react("bob", "👎")])

    assert body["reactions"] == {
        "👍": {"count": 2, "user_ids": ["ann", "bob"]},
        "👎": {"count": 1, "user_ids": ["bob"]},
    }


def test_the_last_reaction_that_is_taken_back_leaves_nothing() -> None:
    assert "reactions" not in seen([react(), react(id="2", remove=True)])
    assert "reactions" not in seen([react(remove=True)])


def test_some_of_many_are_named_and_the_reader_always() -> None:
    state = Changed(conversation_id=ROOM, seq=1)
    users = [f"u{number:02}" for number in range(30)]
    for user in users:
        marks = OwnMarks(conversation_id=ROOM, seq=1, user_id=user)
        both = reacted(state, marks, react(user))
        assert both is not None
        state, own = both

    everybody = json.loads(overlaid(placed(), state, None, NOW).text)["reactions"]["👍"]
    reader = json.loads(overlaid(placed(), state, own, NOW).text)["reactions"]["👍"]

    assert (everybody["count"], everybody["user_ids"]) == (30, users[:20])
    assert reader["user_ids"] == [*users[:20], "u29"]


@pytest.mark.parametrize("gone", [{"recalled": True}, {"expires_at": NOW}])
def test_nothing_brings_a_tombstone_back(gone: dict[str, Any]) -> None:
    message = placed(content="", **gone)

    body = seen([change(content="again"), react()], message=message)

    assert body == json.loads(message.text)
    assert is_gone(body)


def test_a_message_is_a_tombstone_when_its_time_has_come() -> None:
    before = seen([], message=placed(expires_at=rfc3339(1_700_000_001)))
    body = seen([change(content="later")], message=placed(expires_at=NOW, mentions=["bob"]))

    assert before["content"] == "hello"
    assert (body["content"], body["expires_at"], "mentions" in body) == ("", NOW, False)


def test_who_deleted_a_message_for_themselves_sees_a_tombstone() -> None:
    marks = OwnMarks(conversation_id=ROOM, seq=1, user_id="bob", hidden=True)

    body = json.loads(overlaid(placed(), None, marks, NOW).text)

    assert (body["content"], body["deleted"], body["id"]) == ("", True, "m1")
    assert is_gone(body)
    assert not is_gone(seen([]))
