from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.errors import (
    ForbiddenError,
    InviteExpiredError,
    NotFoundError,
    NotMemberError,
    UserNotFoundError,
)
from chalicelib.models import Group, InviteLink, JoinPolicy, JoinRequest
from tests.unit.test_delivery import record, writer
from tests.unit.test_group_changes import CTX, ROOM, Groups, parts

pytestmark = pytest.mark.req("APP-15")
__all__ = ["parts"]


def takes(parts: Groups, policy: JoinPolicy) -> None:
    parts.world.groups[ROOM] = replace(parts.group, join_policy=policy)


def link(parts: Groups, **fields: int) -> InviteLink:
    made = InviteLink(
        id="l1",
        group_id=ROOM,
        created_by="ann",
        created_at="",
        expires_at=parts.world.now + 60,
        **fields,
    )
    return parts.invitations.make_link("ann", made)


def test_an_open_group_is_joined_once(parts: Groups) -> None:
    writer(parts.world).deliver([record(0, 1, room=ROOM)])

    for _ in range(2):
        group = parts.invitations.join(CTX, "cat", ROOM, "")
        assert isinstance(group, Group)

    assert parts.world.members[ROOM, "cat"].joined_seq == 1
    assert parts.group.member_count == 3
    assert [line["event"] for line in parts.lines()] == ["group.member_joined"]


def test_a_group_that_takes_invited_people_only_is_not_joined(parts: Groups) -> None:
    takes(parts, JoinPolicy.INVITE)

    with pytest.raises(ForbiddenError):
        parts.invitations.join(CTX, "cat", ROOM, "")
    assert isinstance(parts.invitations.join(CTX, "bob", ROOM, ""), Group), "is in it already"


def test_a_request_is_kept_once_and_told_to_the_owner(parts: Groups) -> None:
    takes(parts, JoinPolicy.APPROVAL)

    first = parts.invitations.join(CTX, "cat", ROOM, "me")
    again = parts.invitations.join(CTX, "cat", ROOM, "me again")

    assert isinstance(first, JoinRequest)
    assert first == again
    assert parts.told("group.join_requested").keys() == {"ann"}
    assert parts.invitations.requests("ann", ROOM, start=None, limit=5) == ([first], None)
    assert "cat" not in parts.roles()


def test_an_accepted_request_makes_a_member_once(parts: Groups) -> None:
    takes(parts, JoinPolicy.APPROVAL)
    parts.invitations.join(CTX, "cat", ROOM, "")

    for _ in range(2):
        parts.invitations.accept(CTX, "ann", ROOM, "cat")

    assert parts.roles()["cat"] == "member"
    assert parts.world.requests == {}
    assert [line["users"] for line in parts.lines()] == [["cat"]]
    with pytest.raises(NotFoundError):
        parts.invitations.accept(CTX, "ann", ROOM, "dan")


def test_a_request_that_is_rejected_meanwhile_lets_nobody_in(parts: Groups) -> None:
    takes(parts, JoinPolicy.APPROVAL)
    parts.invitations.join(CTX, "cat", ROOM, "")
    parts.meanwhile(lambda: parts.invitations.reject("ann", ROOM, "cat"))

    with pytest.raises(NotFoundError):
        parts.invitations.accept(CTX, "ann", ROOM, "cat")

    assert "cat" not in parts.roles()
    assert parts.told("group.join_rejected").keys() == {"cat"}


def test_members_answer_no_requests_and_make_no_links(parts: Groups) -> None:
    page = {"start": None, "limit": 5}
    for user, error in (("bob", ForbiddenError), ("cat", NotMemberError)):
        for use in (
            lambda who: parts.invitations.requests(who, ROOM, **page),
            lambda who: parts.invitations.accept(CTX, who, ROOM, "dan"),
            lambda who: parts.invitations.reject(who, ROOM, "dan"),
            lambda who: parts.invitations.links(who, ROOM, **page),
            lambda who: parts.invitations.revoke(who, ROOM, "l1"),
            lambda who: parts.invitations.make_link(
                who,
                InviteLink(id="l2", group_id=ROOM, created_by=who, created_at="", expires_at=9e9),
            ),
        ):
            with pytest.raises(error):
                use(user)


@pytest.mark.parametrize("policy", JoinPolicy)
def test_a_link_lets_in_whatever_the_policy_says(parts: Groups, policy: JoinPolicy) -> None:
    takes(parts, policy)
    token = link(parts, max_uses=1).token

    for _ in range(2):
        parts.invitations.join_by_link(CTX, "cat", token)

    assert parts.roles()["cat"] == "member"
    assert parts.invitations.links("ann", ROOM, start=None, limit=5)[0][0].uses == 1


def test_a_link_made_again_keeps_its_count(parts: Groups) -> None:
    parts.invitations.join_by_link(CTX, "cat", link(parts).token)

    assert link(parts).uses == 1


def test_a_link_is_good_until_it_is_used_up_expires_or_is_revoked(parts: Groups) -> None:
    token = link(parts, max_uses=1).token
    parts.meanwhile(lambda: parts.invitations.join_by_link(CTX, "cat", token))
    with pytest.raises(InviteExpiredError):
        parts.invitations.join_by_link(CTX, "dan", token)

    parts.world.links[ROOM, "l1"] = replace(parts.world.links[ROOM, "l1"], max_uses=0)
    parts.world.now += 60
    with pytest.raises(InviteExpiredError):
        parts.invitations.join_by_link(CTX, "dan", token)

    parts.world.now -= 60
    parts.invitations.revoke("ann", ROOM, "l1")
    with pytest.raises(InviteExpiredError):
        parts.invitations.join_by_link(CTX, "dan", token)
    assert "dan" not in parts.roles()


@pytest.mark.parametrize("token", ["", "x", "g-1", "g-1.", "world.x", "d-ann-bob.x", "g-1.x"])
def test_a_token_that_is_none_lets_nobody_in(parts: Groups, token: str) -> None:
    with pytest.raises(InviteExpiredError):
        parts.invitations.join_by_link(CTX, "cat", token)


def test_who_deleted_their_account_is_not_let_in_and_their_request_goes(parts: Groups) -> None:
    takes(parts, JoinPolicy.APPROVAL)
    parts.invitations.join(CTX, "cat", ROOM, "")
    parts.relations.users.discard("cat")

    with pytest.raises(UserNotFoundError):
        parts.invitations.accept(CTX, "ann", ROOM, "cat")

    assert "cat" not in parts.roles()
    assert parts.world.requests == {}
    assert parts.lines() == []
