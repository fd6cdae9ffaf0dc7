from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.errors import (
    BlockedError,
    ForbiddenError,
    GroupNotFoundError,
    NotFoundError,
    NotMemberError,
    UserNotFoundError,
)
from chalicelib.logic.group_changes import MAX_ROWS
from chalicelib.models import WORLD, JoinPolicy, Role
from tests.unit.test_group_changes import CTX, ROOM, USERS, Groups, parts

pytestmark = pytest.mark.req("APP-15", "IM-6")
__all__ = ["parts"]


def create(parts: Groups, *members: str, unique: str = "new") -> str:
    group = parts.groups.create(CTX, "ann", members, unique=unique, profile={"name": "New"})
    return group.id


def test_a_new_group_has_its_creator_as_owner_and_everybody_once(parts: Groups) -> None:
    group_id = create(parts, "bob", "ann", "bob", "cat")

    group, row = parts.groups.get("ann", group_id)
    assert group_id == "g-new"
    assert (group.owner_id, group.member_count, group.version) == ("ann", 3, 1)
    assert row.role is Role.OWNER
    assert parts.groups.get("cat", group_id)[1].role is Role.MEMBER
    assert parts.lines()[0] == {
        "event": "group.created",
        "actor": "ann",
        "users": ["ann", "bob", "cat"],
    }


def test_the_same_request_again_gives_the_same_group(parts: Groups) -> None:
    assert create(parts, "bob") == create(parts, "bob")
    assert len(parts.lines()) == 1


def test_more_members_than_one_change_takes_are_added_in_chunks(parts: Groups) -> None:
    others = [f"user{number:03}" for number in range(2 * MAX_ROWS + 5)]
    parts.relations.users = {*USERS, *others}

    group_id = create(parts, *others)

    group, _ = parts.groups.get(others[-1], group_id)
    assert (group.member_count, group.version) == (len(others) + 1, 3)


def test_who_does_not_exist_or_has_blocked_the_creator_is_not_added(parts: Groups) -> None:
    with pytest.raises(UserNotFoundError, match="nobody"):
        create(parts, "bob", "nobody")
    old = parts.relations.get("ann", "bob")
    parts.relations.replace(old, replace(old, blocked_by=frozenset({"bob"})))
    with pytest.raises(BlockedError, match="bob"):
        create(parts, "bob")

    assert "g-new" not in parts.world.groups


def test_a_group_is_shown_to_its_members_only(parts: Groups) -> None:
    assert parts.groups.get("bob", ROOM)[0].name == "Tea"
    with pytest.raises(NotMemberError):
        parts.groups.get("cat", ROOM)
    with pytest.raises(GroupNotFoundError):
        parts.groups.get("ann", "g-2")


def test_the_world_is_shown_to_everybody(parts: Groups) -> None:
    group, row = parts.groups.get("dan", WORLD)

    assert (group.id, group.member_count, row.role) == (WORLD, None, Role.MEMBER)


def test_owner_and_admins_edit_and_members_do_not(parts: Groups) -> None:
    with pytest.raises(ForbiddenError):
        parts.groups.update(CTX, "bob", ROOM, {"name": "Mine"})
    parts.role("bob", Role.ADMIN)

    changes = {"name": "Coffee", "join_policy": JoinPolicy.INVITE, "muted_until": parts.world.now}
    group = parts.groups.update(CTX, "bob", ROOM, changes)

    assert (group.name, group.join_policy) == ("Coffee", JoinPolicy.INVITE)
    (line,) = parts.lines()
    assert line["name"] == "Coffee"
    assert line["muted_until"].endswith("Z")


def test_only_name_and_announcement_are_said_in_the_conversation(parts: Groups) -> None:
    parts.groups.update(CTX, "ann", ROOM, {"avatar": "https://example.com/a.png"})
    parts.groups.update(CTX, "ann", ROOM, {"announcement": "at five"})
    parts.groups.update(CTX, "ann", ROOM, {"announcement": "at five"})

    assert [line["announcement"] for line in parts.lines()] == ["at five"]
    assert parts.group.version == 3
    assert len(parts.told("group.updated")) == 2


def test_a_transfer_makes_the_heir_owner_and_the_owner_an_admin(parts: Groups) -> None:
    parts.groups.transfer(CTX, "ann", ROOM, "bob")
    again = parts.groups.transfer(CTX, "ann", ROOM, "bob")

    assert parts.roles() == {"ann": "admin", "bob": "owner"}
    assert (again.owner_id, again.version) == ("bob", 2)
    assert [line["owner_id"] for line in parts.lines()] == ["bob"]


def test_a_transfer_by_others_or_to_strangers_is_refused(parts: Groups) -> None:
    with pytest.raises(NotFoundError):
        parts.groups.transfer(CTX, "ann", ROOM, "cat")
    with pytest.raises(ForbiddenError):
        parts.groups.transfer(CTX, "bob", ROOM, "bob")
    with pytest.raises(NotMemberError):
        parts.groups.transfer(CTX, "cat", ROOM, "bob")

    assert parts.roles() == {"ann": "owner", "bob": "member"}


def test_an_heir_who_leaves_meanwhile_does_not_become_owner(parts: Groups) -> None:
    parts.meanwhile(lambda: parts.members.leave(CTX, "bob", ROOM))

    with pytest.raises(NotFoundError):
        parts.groups.transfer(CTX, "ann", ROOM, "bob")

    assert (parts.roles(), parts.group.owner_id) == ({"ann": "owner"}, "ann")


def test_a_dismissed_group_is_no_more(parts: Groups) -> None:
    with pytest.raises(ForbiddenError):
        parts.groups.dismiss(CTX, "bob", ROOM)

    parts.groups.dismiss(CTX, "ann", ROOM)

    for call in (parts.groups.get, lambda user, room: parts.groups.dismiss(CTX, user, room)):
        with pytest.raises(GroupNotFoundError):
            call("ann", ROOM)
    assert [line["event"] for line in parts.lines()] == ["group.dismissed"]


def test_the_line_of_a_dismissal_is_handed_on_by_its_repetition(parts: Groups) -> None:
    parts.kafka_is_away = True
    with pytest.raises(Exception, match="unavailable"):
        parts.groups.dismiss(CTX, "ann", ROOM)
    parts.kafka_is_away = False

    with pytest.raises(GroupNotFoundError):
        parts.groups.dismiss(CTX, "ann", ROOM)

    assert [line["event"] for line in parts.lines()] == ["group.dismissed"]
