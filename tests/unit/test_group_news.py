from __future__ import annotations

import json

import pytest

from chalicelib.logic.group_news import system_line
from chalicelib.models import Group, message_id
from tests.fakes_groups import grouped
from tests.unit.test_group_changes import CTX, ROOM, Groups, parts

pytestmark = pytest.mark.req("APP-15")
__all__ = ["parts"]


def test_a_line_has_an_id_that_no_client_can_take() -> None:
    said = {"actor": "ann", "users": ["bob"]}
    group = Group(id=ROOM, name="Tea", owner_id="ann", version=7, updated_at="now")

    line = json.loads(system_line(group, "group.member_added", said))

    assert line["id"] == message_id("", ROOM, "7")
    assert line["id"] != message_id("ann", ROOM, "7")
    assert json.loads(line["content"]) == {"event": "group.member_added", **said}
    assert (line["created_at"], line["conversation_id"]) == ("now", ROOM)


def test_who_is_removed_is_told_and_misses_nothing_more(parts: Groups) -> None:
    parts.world.pointers = {("bob", ROOM): 3, ("ann", ROOM): 3, ("bob", "d-ann-bob"): 1}

    parts.members.remove(CTX, "ann", ROOM, "bob")

    assert parts.told("group.member_removed").keys() == {"ann", "bob"}
    assert parts.told("group.member_removed")["bob"] == {
        "group_id": ROOM,
        "name": "Tea",
        "actor": "ann",
        "users": ["bob"],
    }
    assert parts.world.pointers.keys() == {("ann", ROOM), ("bob", "d-ann-bob")}


def test_with_a_group_the_pointers_of_all_members_go(parts: Groups) -> None:
    parts.world.pointers = {("bob", ROOM): 3, ("ann", ROOM): 3}

    parts.groups.dismiss(CTX, "ann", ROOM)

    assert parts.world.pointers == {}
    assert parts.told("group.dismissed").keys() == {"ann", "bob"}


def test_new_members_have_a_new_conversation(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat"])

    opened = {"conversation_id": ROOM, "type": "group"}
    assert parts.told("conversation.created") == {"cat": opened}
    assert parts.told("group.member_added").keys() == {"ann", "bob", "cat"}


def test_in_a_large_group_only_those_whom_it_is_about_get_an_event(parts: Groups) -> None:
    grouped(parts.world, ROOM, "ann", "bob", "cat", large=True)

    parts.members.remove(CTX, "ann", ROOM, "bob")

    assert parts.told("group.member_removed").keys() == {"ann", "bob"}
    assert [line["event"] for line in parts.lines()] == ["group.member_removed"]
