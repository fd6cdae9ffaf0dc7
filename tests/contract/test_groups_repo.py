from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.context import Context
from chalicelib.errors import IMError, UnavailableError
from chalicelib.logic.audiences import Audiences
from chalicelib.logic.group_changes import MAX_ROWS, GroupChanges
from chalicelib.logic.group_members import GroupMemberService
from chalicelib.logic.group_news import GroupNews
from chalicelib.logic.groups import GroupService
from chalicelib.logic.heads import CurrentHeads
from chalicelib.models import (
    MAX_GROUP_MEMBERS,
    ConversationMember,
    Group,
    GroupChange,
    InviteLink,
    JoinPolicy,
    JoinRequest,
    Role,
    Standing,
)
from chalicelib.repo.connections import ConnectionRepository
from chalicelib.repo.conversations import ConversationRepository
from chalicelib.repo.groups import GroupRepository
from chalicelib.repo.invitations import InvitationRepository
from chalicelib.repo.members import MemberRepository
from chalicelib.repo.messages import MessageRepository
from chalicelib.repo.offline import OfflineRepository
from chalicelib.repo.relations import RelationRepository
from tests.contract.conftest import Connect
from tests.fakes import FakeHeads, FakeMembers, World
from tests.fakes_accounts import Clock
from tests.fakes_groups import FakeGroups, FakeInvitations
from tests.fakes_relations import FakeNotices

pytestmark = pytest.mark.req("IM-12", "APP-15")
NOW = "2027-01-15T08:00:00.000Z"


class Tables:
    """The groups, and what changes with them."""

    def __init__(self, store: JsonService | None) -> None:
        world = World()
        self.groups = GroupRepository(store) if store else FakeGroups(world)
        self.members = MemberRepository(store) if store else FakeMembers(world)
        self.heads = ConversationRepository(store) if store else FakeHeads(world)
        self.invitations = InvitationRepository(store) if store else FakeInvitations(world)


@pytest.fixture(params=["fake", "endpoint"])
def here(request: pytest.FixtureRequest) -> Tables:
    return Tables(None if request.param == "fake" else request.getfixturevalue("tables"))


def new_group(here: Tables, *users: str, **fields: Any) -> Group:
    """A group whose first member owns it."""
    group = Group(
        id=f"g-{uuid4().hex[:20]}",
        name="Tea",
        owner_id=users[0],
        avatar="https://example.com/tea.png",
        announcement="at five",
        version=1,
        join_policy=JoinPolicy.APPROVAL,
        created_at=NOW,
        updated_at=NOW,
        **{"member_count": len(users), **fields},
    )
    rows = [
        member(group, user, role=Role.OWNER if user == users[0] else Role.MEMBER) for user in users
    ]
    assert here.groups.change(GroupChange(old=None, new=group, added=rows))
    return group


def member(group: Group, user: str, **fields: Any) -> ConversationMember:
    return ConversationMember(conversation_id=group.id, user_id=user, **fields)


def after(group: Group, **fields: Any) -> Group:
    return replace(group, version=group.version + 1, **fields)


def test_a_new_group_is_read_back_whole_with_its_members_and_head(here: Tables) -> None:
    group = new_group(here, "ann", "bob", muted_until=12.5, large=True, pending='{"a":1}')

    assert here.groups.get_groups([group.id, "g-none", group.id]) == {group.id: group}
    assert here.groups.standings("ann", [group.id, "g-none"]) == {
        group.id: Standing(group, member(group, "ann", role=Role.OWNER))
    }
    assert here.groups.standings("cat", [group.id]) == {group.id: Standing(group, None)}
    assert here.members.roster(group.id) == {"ann": 0, "bob": 0}
    head = here.heads.get_conversations([group.id])[group.id]
    assert (head.type.value, head.last_seq, head.created_at) == ("group", 0, NOW)


def test_the_same_group_is_not_made_twice(here: Tables) -> None:
    group = new_group(here, "ann")

    again = GroupChange(old=None, new=replace(group, name="Other"), added=[member(group, "bob")])

    assert not here.groups.change(again)
    assert here.groups.get_groups([group.id]) == {group.id: group}
    assert here.members.roster(group.id).keys() == {"ann"}


def test_members_come_change_and_go_with_the_group(here: Tables) -> None:
    group = new_group(here, "ann", "bob")
    new = after(group, owner_id="bob", announcement="")
    cat = member(group, "cat", joined_seq=7, read_seq=7, delivered_seq=7)

    changed = here.groups.change(
        GroupChange(
            old=group,
            new=new,
            added=[cat],
            removed=["ann"],
            updated=[member(group, "bob", role=Role.OWNER, muted_until=99.5, read_seq=50)],
        )
    )

    assert changed
    assert here.groups.get_groups([group.id]) == {group.id: new}
    rows = here.members.get((group.id, one) for one in ("ann", "bob", "cat"))
    assert rows == {
        (group.id, "bob"): member(group, "bob", role=Role.OWNER, muted_until=99.5),
        (group.id, "cat"): cat,
    }


def test_as_many_members_as_a_change_may_have(here: Tables) -> None:
    users = [f"user{number}" for number in range(MAX_ROWS)]
    group = new_group(here, "ann")
    rows = [member(group, user) for user in users]

    assert here.groups.change(GroupChange(old=group, new=after(group), added=rows))
    assert len(here.members.roster(group.id)) == MAX_ROWS + 1


@pytest.mark.parametrize("wrong", ["version", "added", "removed", "updated", "answered", "link"])
def test_a_change_of_what_is_otherwise_now_changes_nothing(here: Tables, wrong: str) -> None:
    group = new_group(here, "ann", "bob")
    late = {
        "version": GroupChange(old=replace(group, version=9), new=after(group)),
        "added": GroupChange(old=group, new=after(group), added=[member(group, "bob")]),
        "removed": GroupChange(old=group, new=after(group), removed=["cat"]),
        "updated": GroupChange(old=group, new=after(group), updated=[member(group, "cat")]),
        "answered": GroupChange(old=group, new=after(group), answered="cat"),
        "link": GroupChange(old=group, new=after(group), link_id="none"),
    }[wrong]

    assert not here.groups.change(replace(late, added=[*late.added, member(group, "dan")]))

    assert here.groups.get_groups([group.id]) == {group.id: group}
    assert here.members.roster(group.id).keys() == {"ann", "bob"}


def test_a_request_is_answered_and_a_link_used_with_the_change(here: Tables) -> None:
    group = new_group(here, "ann")
    link = InviteLink(
        id="l1", group_id=group.id, created_by="ann", created_at=NOW, expires_at=9e9, max_uses=1
    )
    here.invitations.add_link(link)
    here.invitations.ask(JoinRequest(group_id=group.id, user_id="bob", created_at=NOW))

    second = after(group)
    assert here.groups.change(
        GroupChange(
            old=group, new=second, added=[member(group, "bob")], answered="bob", link_id="l1"
        )
    )

    assert here.invitations.request(group.id, "bob") is None
    assert here.invitations.link(group.id, "l1") == replace(link, uses=1)
    used_up = GroupChange(old=second, new=after(second), link_id="l1")
    assert not here.groups.change(used_up)


def test_a_pending_line_goes_only_while_it_is_the_latest(here: Tables) -> None:
    group = new_group(here, "ann", pending="first")
    second = after(group, pending="second")
    assert here.groups.change(GroupChange(old=group, new=second))

    here.groups.handed_on(group)
    assert here.groups.get_groups([group.id])[group.id].pending == "second"
    here.groups.handed_on(second)
    assert here.groups.get_groups([group.id])[group.id] == replace(second, pending="")


def test_members_are_listed_page_by_page_in_order(here: Tables) -> None:
    group = new_group(here, "bob", "ann", "cat")

    first, start = here.members.page(group.id, start=None, limit=2)
    second, end = here.members.page(group.id, start=start, limit=2)

    assert [one.user_id for one in (*first, *second)] == ["ann", "bob", "cat"]
    assert (start, end) == ("cat", None)
    assert here.members.page("g-none", start=None, limit=2) == ([], None)


@pytest.mark.parametrize(
    "use",
    [
        lambda groups: groups.get_groups(["g-1"]),
        lambda groups: groups.standings("ann", ["g-1"]),
        lambda groups: groups.change(
            GroupChange(old=None, new=Group(id="g-1", name="", owner_id="ann"))
        ),
        lambda groups: groups.handed_on(Group(id="g-1", name="", owner_id="ann")),
    ],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch, use: Callable[[GroupRepository], Any]
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(GroupRepository(tables))


# Races: each on a connection of its own, all starting together.


class Services:
    """The services of groups on the real store."""

    def __init__(self, store: JsonService) -> None:
        groups, members = GroupRepository(store), MemberRepository(store)
        news = GroupNews(
            groups=groups,
            audiences=Audiences(groups, members),
            pointers=OfflineRepository(store),
            submit=lambda _ctx, _submissions: None,
            tell=FakeNotices().tell,
        )
        changes = GroupChanges(
            groups=groups,
            members=members,
            news=news,
            clock=Clock(),
            sleep=lambda _seconds: None,
        )
        self.members = GroupMemberService(
            changes=changes,
            heads=CurrentHeads(ConversationRepository(store), MessageRepository(store)),
            relations=RelationRepository(store),
        )
        self.groups = GroupService(
            changes=changes, members=self.members, groups=groups, clear_later=lambda _: None
        )


CTX = Context()
Work = Callable[[Services], Any]


def at_once(connect: Connect, *work: Work) -> list[Any]:
    """What each comes to: an error's code, or None."""
    ready = Barrier(len(work))

    def run(one: Work) -> Any:
        services = Services(connect())
        ready.wait(30)
        try:
            one(services)
        except IMError as error:
            return error.code
        return None

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


@pytest.fixture
def real(tables: JsonService) -> Tables:
    for user in ("ann", "bob", "cat", "dan"):
        ConnectionRepository(tables).open_user(user, 0)
    return Tables(tables)


def roles(real: Tables, group: Group) -> dict[str, str]:
    users = real.members.roster(group.id)
    rows = real.members.get((group.id, user) for user in users)
    return {user: row.role.value for (_, user), row in rows.items()}


def test_of_two_who_are_added_to_the_last_place_one_gets_it(connect: Connect, real: Tables) -> None:
    for _ in range(5):
        group = new_group(real, "ann", "bob", member_count=MAX_GROUP_MEMBERS - 1)

        results = at_once(
            connect,
            lambda one, g=group: one.members.add(CTX, "ann", g.id, ["cat"]),
            lambda one, g=group: one.members.add(CTX, "ann", g.id, ["dan"]),
        )

        assert sorted(results, key=str) == [None, "group_full"]
        assert real.groups.get_groups([group.id])[group.id].member_count == MAX_GROUP_MEMBERS
        assert len(real.members.roster(group.id)) == 3


def test_who_leaves_while_being_promoted_is_out_or_an_admin_never_both(
    connect: Connect, real: Tables
) -> None:
    for _ in range(5):
        group = new_group(real, "ann", "bob")

        results = at_once(
            connect,
            lambda one, g=group: one.members.leave(CTX, "bob", g.id),
            lambda one, g=group: one.members.update(CTX, "ann", g.id, "bob", role=Role.ADMIN),
        )

        assert results in ([None, None], [None, "not_found"])
        assert roles(real, group) == {"ann": "owner"}
        assert real.groups.get_groups([group.id])[group.id].member_count == 1


def test_a_group_whose_heir_leaves_keeps_an_owner(connect: Connect, real: Tables) -> None:
    for _ in range(5):
        group = new_group(real, "ann", "bob")

        results = at_once(
            connect,
            lambda one, g=group: one.groups.transfer(CTX, "ann", g.id, "bob"),
            lambda one, g=group: one.members.leave(CTX, "bob", g.id),
        )

        found, owner = roles(real, group), real.groups.get_groups([group.id])[group.id].owner_id
        if results == [None, "owner_must_transfer"]:
            assert (owner, found) == ("bob", {"ann": "admin", "bob": "owner"})
        else:
            assert results == ["not_found", None]
            assert (owner, found) == ("ann", {"ann": "owner"})


def test_many_changes_at_once_are_all_counted(connect: Connect, real: Tables) -> None:
    group = new_group(real, "ann")

    results = at_once(
        connect,
        *(
            lambda one, user=user: one.members.add(CTX, "ann", group.id, [user])
            for user in ("bob", "cat", "dan")
        ),
    )

    assert results == [None, None, None]
    stored = real.groups.get_groups([group.id])[group.id]
    assert (stored.member_count, stored.version) == (4, 4)
