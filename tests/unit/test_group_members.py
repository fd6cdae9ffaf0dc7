from __future__ import annotations

import pytest

from chalicelib.errors import (
    BlockedError,
    ForbiddenError,
    NotFoundError,
    NotMemberError,
    OwnerMustTransferError,
)
from chalicelib.logic.group_changes import MAX_ROWS
from chalicelib.models import JoinPolicy, Role
from tests.unit.test_delivery import record, writer
from tests.unit.test_group_changes import CTX, ROOM, USERS, Groups, parts

pytestmark = pytest.mark.req("APP-15")
__all__ = ["parts"]


def test_members_are_added_once_and_begin_where_the_conversation_stands(parts: Groups) -> None:
    writer(parts.world).deliver([record(0, 1, 2, room=ROOM)])

    for _ in range(2):
        parts.members.add(CTX, "bob", ROOM, ["cat", "cat", "bob"])

    row = parts.world.members[ROOM, "cat"]
    assert (row.joined_seq, row.read_seq, row.delivered_seq) == (2, 2, 2)
    assert parts.group.member_count == 3
    assert [line["users"] for line in parts.lines()] == [["cat"]]


def test_in_other_than_open_groups_members_add_nobody(parts: Groups) -> None:
    parts.groups.update(CTX, "ann", ROOM, {"join_policy": JoinPolicy.INVITE})

    with pytest.raises(ForbiddenError):
        parts.members.add(CTX, "bob", ROOM, ["cat"])
    with pytest.raises(NotMemberError):
        parts.members.add(CTX, "cat", ROOM, ["cat"])


def test_nobody_is_added_when_one_does_not_want_it(parts: Groups) -> None:
    old = parts.relations.get("ann", "cat")
    parts.relations.replace(old, type(old)(users=old.users, blocked_by=frozenset({"cat"})))

    with pytest.raises(BlockedError):
        parts.members.add(CTX, "ann", ROOM, ["dan", "cat"])

    assert parts.roles().keys() == {"ann", "bob"}


def test_many_are_added_in_chunks(parts: Groups) -> None:
    others = [f"user{number:03}" for number in range(MAX_ROWS + 1)]
    parts.relations.users = {*USERS, *others}

    group = parts.members.add(CTX, "ann", ROOM, others)

    assert group.member_count == len(others) + 2
    assert [len(line["users"]) for line in parts.lines()] == [MAX_ROWS, 1]


def test_adding_nobody_changes_nothing(parts: Groups) -> None:
    assert parts.members.add(CTX, "ann", ROOM, ["ann"]) == parts.group


def test_only_who_stands_above_removes(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat", "dan"])
    parts.role("bob", Role.ADMIN)
    parts.role("cat", Role.ADMIN)

    for actor, target in (("bob", "cat"), ("bob", "ann"), ("dan", "bob")):
        with pytest.raises(ForbiddenError):
            parts.members.remove(CTX, actor, ROOM, target)
    parts.members.remove(CTX, "bob", ROOM, "dan")
    parts.members.remove(CTX, "ann", ROOM, "cat")
    parts.members.remove(CTX, "ann", ROOM, "cat")

    assert parts.roles() == {"ann": "owner", "bob": "admin"}
    assert parts.group.member_count == 2


def test_removing_oneself_is_leaving(parts: Groups) -> None:
    for _ in range(2):
        parts.members.remove(CTX, "bob", ROOM, "bob")

    assert parts.roles() == {"ann": "owner"}
    assert [line["event"] for line in parts.lines()] == ["group.member_left"]


def test_the_owner_does_not_leave(parts: Groups) -> None:
    with pytest.raises(OwnerMustTransferError):
        parts.members.leave(CTX, "ann", ROOM)


def test_who_becomes_owner_while_leaving_stays(parts: Groups) -> None:
    parts.meanwhile(lambda: parts.groups.transfer(CTX, "ann", ROOM, "bob"))

    with pytest.raises(OwnerMustTransferError):
        parts.members.leave(CTX, "bob", ROOM)

    assert parts.roles() == {"ann": "admin", "bob": "owner"}


def test_who_leaves_while_being_promoted_is_out(parts: Groups) -> None:
    parts.meanwhile(lambda: parts.members.leave(CTX, "bob", ROOM))

    with pytest.raises(NotFoundError):
        parts.members.update(CTX, "ann", ROOM, "bob", role=Role.ADMIN)

    assert parts.roles() == {"ann": "owner"}


def test_an_admin_who_is_removed_meanwhile_removes_nobody(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat"])
    parts.role("bob", Role.ADMIN)
    parts.meanwhile(lambda: parts.members.remove(CTX, "ann", ROOM, "bob"))

    with pytest.raises(NotMemberError):
        parts.members.remove(CTX, "bob", ROOM, "cat")

    assert parts.roles() == {"ann": "owner", "cat": "member"}


def test_the_owner_gives_roles_and_nobody_else(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat"])

    row = parts.members.update(CTX, "ann", ROOM, "bob", role=Role.ADMIN)
    again = parts.members.update(CTX, "ann", ROOM, "bob", role=Role.ADMIN)

    assert row == again
    assert parts.world.members[ROOM, "bob"].role is Role.ADMIN
    assert parts.group.version == 3
    assert len(parts.lines()) == 1, "of adding cat"
    assert parts.told("group.member_updated")["cat"]["role"] == "admin"
    for actor in ("bob", "cat"):
        with pytest.raises(ForbiddenError):
            parts.members.update(CTX, actor, ROOM, "cat", role=Role.ADMIN)
    with pytest.raises(ForbiddenError):
        parts.members.update(CTX, "ann", ROOM, "ann", role=Role.MEMBER)


def test_an_admin_mutes_members_and_no_admins(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat"])
    parts.role("bob", Role.ADMIN)
    until = parts.world.now + 60

    muted = parts.members.update(CTX, "bob", ROOM, "cat", muted_until=until)
    free = parts.members.update(CTX, "bob", ROOM, "cat", muted_until=0.0)

    assert (muted.muted_until, free.muted_until) == (until, 0.0)
    assert parts.told("group.member_updated")["cat"]["muted_until"] is None
    parts.role("cat", Role.ADMIN)
    with pytest.raises(ForbiddenError):
        parts.members.update(CTX, "bob", ROOM, "cat", muted_until=until)
    with pytest.raises(NotFoundError):
        parts.members.update(CTX, "bob", ROOM, "dan", muted_until=until)
