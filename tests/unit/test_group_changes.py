from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import (
    ForbiddenError,
    GroupFullError,
    GroupNotFoundError,
    NotMemberError,
    UnavailableError,
)
from chalicelib.logic.group_changes import Decision, GroupChanges, Situation
from chalicelib.logic.group_endings import GroupEndings
from chalicelib.logic.group_members import GroupMemberService
from chalicelib.logic.group_news import GroupNews
from chalicelib.logic.group_rules import Action
from chalicelib.logic.groups import GroupService
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.invitations import InvitationService
from chalicelib.models import (
    LARGE_GROUP,
    MAX_GROUP_MEMBERS,
    WORLD,
    ConversationMember,
    Group,
    Role,
)
from tests.fakes import FakeHeads, FakeLog, FakeMembers, FakeOffline, World
from tests.fakes_groups import FakeGroups, FakeInvitations, audiences, grouped
from tests.fakes_relations import FakeNotices, FakeRelations

pytestmark = pytest.mark.req("APP-15")
ROOM = "g-1"
CTX = Context()
USERS = ("ann", "bob", "cat", "dan")


@dataclass
class Groups:
    """The services of groups on fakes, with what they handed on."""

    world: World = field(default_factory=World)
    notices: FakeNotices = field(default_factory=FakeNotices)
    submitted: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    cleared_later: list[str] = field(default_factory=list)
    kafka_is_away: bool = False

    def __post_init__(self) -> None:
        for user in USERS:
            self.world.user(user)
        self.relations = FakeRelations(self.world.clock, *USERS)
        stored, members = FakeGroups(self.world), FakeMembers(self.world)
        news = GroupNews(
            groups=stored,
            audiences=audiences(self.world),
            pointers=FakeOffline(self.world),
            submit=self.submit,
            tell=self.notices.tell,
        )
        self.changes = GroupChanges(
            groups=stored,
            members=members,
            news=news,
            clock=self.world.clock,
            sleep=self.slept.append,
        )
        self.members = GroupMemberService(
            changes=self.changes,
            heads=CurrentHeads(FakeHeads(self.world), FakeLog(self.world)),
            relations=self.relations,
        )
        self.groups = GroupService(
            changes=self.changes,
            members=self.members,
            groups=stored,
            clear_later=self.clear_later,
        )
        self.invitations = InvitationService(
            changes=self.changes,
            members=self.members,
            invitations=FakeInvitations(self.world),
            tell=self.notices.tell,
            clock=self.world.clock,
        )

        self.endings = GroupEndings(
            services=(self.groups, self.members),
            groups=stored,
            members=members,
            requests=FakeInvitations(self.world),
            pointers=FakeOffline(self.world),
        )

    def clear_later(self, group_id: str) -> None:
        self.world.step("before clear later")
        self.cleared_later.append(group_id)

    def submit(self, _ctx: Context, submissions: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        if self.kafka_is_away:
            raise UnavailableError
        self.submitted.extend(submissions)

    @property
    def group(self) -> Group:
        return self.world.groups[ROOM]

    def role(self, user: str, role: Role) -> None:
        self.world.members[ROOM, user] = replace(self.world.members[ROOM, user], role=role)

    def roles(self) -> dict[str, str]:
        rows = self.world.members.items()
        return {user: row.role.value for (room, user), row in rows if room == ROOM}

    def lines(self) -> list[Any]:
        """What the system lines say that Kafka has."""
        bodies = [body for _, args in self.submitted for body in args["messages"]]
        return [json.loads(body["content"]) for body in bodies]

    def told(self, event: str) -> dict[str, Mapping[str, Any]]:
        """Who was told of an event, and what."""
        return {user: data for user, name, data in self.notices.told if name == event}

    def meanwhile(self, other: Callable[[], object]) -> None:
        """Lets somebody else in, once, before the next change is written."""

        def step(name: str) -> None:
            if name == "before change":
                self.world.step = lambda _name: None
                other()

        self.world.step = step


@pytest.fixture
def parts() -> Groups:
    """A group of ann, who owns it, and bob."""
    made = Groups()
    grouped(made.world, ROOM, "ann", "bob")
    return made


def renamed(name: str) -> Callable[[Situation], Decision]:
    return lambda now: Decision(group=replace(now.group, name=name), event="group.updated")


def row(user: str) -> ConversationMember:
    return ConversationMember(conversation_id=ROOM, user_id=user)


def test_a_change_raises_the_version_and_is_said_in_the_conversation(parts: Groups) -> None:
    group = parts.changes.change(CTX, ROOM, "ann", (), renamed("Coffee"))

    assert (group.name, group.version) == ("Coffee", 2)
    ((room, args),) = parts.submitted
    (line,) = args["messages"]
    assert (room, args["type"], args["sender_id"]) == (ROOM, "group", "ann")
    assert (line["type"], line["seq"], line["sender_id"]) == ("system", 0, "ann")
    assert parts.lines() == [{"event": "group.updated", "actor": "ann", "users": []}]
    assert parts.group.pending == ""
    assert parts.told("group.updated").keys() == {"ann", "bob"}


def test_what_is_decided_to_stay_is_neither_written_nor_told(parts: Groups) -> None:
    assert parts.changes.change(CTX, ROOM, "ann", (), lambda _now: None) == parts.group

    assert (parts.group.version, parts.submitted, parts.notices.told) == (1, [], [])


def test_a_change_is_decided_anew_when_somebody_else_was_faster(parts: Groups) -> None:
    parts.meanwhile(lambda: parts.changes.change(CTX, ROOM, "bob", (), renamed("Bob's")))
    seen: list[str] = []

    def decide(now: Situation) -> Decision:
        seen.append(now.group.name)
        return renamed("Coffee")(now)

    group = parts.changes.change(CTX, ROOM, "ann", (), decide)

    assert seen == ["Tea", "Bob's"]
    assert (group.name, group.version) == ("Coffee", 3)
    assert len(parts.slept) == 1


def test_a_group_that_others_change_without_end_is_unavailable(parts: Groups) -> None:
    def step(name: str) -> None:
        if name == "before change":
            parts.world.groups[ROOM] = replace(parts.group, version=parts.group.version + 1)

    parts.world.step = step

    with pytest.raises(UnavailableError):
        parts.changes.change(CTX, ROOM, "ann", (), renamed("Coffee"))


def test_a_line_that_kafka_did_not_take_is_handed_on_by_the_same_request_again(
    parts: Groups,
) -> None:
    parts.kafka_is_away = True
    with pytest.raises(UnavailableError):
        parts.changes.change(CTX, ROOM, "ann", (), renamed("Coffee"))
    assert (parts.group.name, parts.lines()) == ("Coffee", [])
    with pytest.raises(UnavailableError):
        parts.changes.change(CTX, ROOM, "bob", (), renamed("lost?"))

    parts.kafka_is_away = False
    parts.changes.change(CTX, ROOM, "ann", (), lambda _now: None)
    parts.changes.change(CTX, ROOM, "ann", (), lambda _now: None)

    assert [line["actor"] for line in parts.lines()] == ["ann"]
    assert parts.group.version == 2


def test_a_line_that_is_handed_on_twice_has_the_same_id(parts: Groups) -> None:
    parts.changes.change(CTX, ROOM, "ann", (), renamed("Coffee"))
    (first,) = parts.submitted[0][1]["messages"]
    pending = json.dumps(first)
    parts.world.groups[ROOM] = replace(parts.group, pending=pending)  # nobody took note of it

    parts.changes.change(CTX, ROOM, "bob", (), renamed("Water"))

    again, last = (args["messages"][0] for _, args in parts.submitted[1:])
    assert again == first
    assert last["id"] != first["id"]


def test_the_count_follows_and_a_group_becomes_large_for_good(parts: Groups) -> None:
    parts.world.groups[ROOM] = replace(parts.group, member_count=LARGE_GROUP)

    def join(now: Situation) -> Decision:
        return Decision(group=now.group, event="group.member_joined", added=[row("cat")])

    def leave(now: Situation) -> Decision:
        return Decision(group=now.group, event="group.member_left", removed=["cat"])

    joined = parts.changes.change(CTX, ROOM, "cat", (), join)
    left = parts.changes.change(CTX, ROOM, "cat", (), leave)

    assert (joined.member_count, joined.large) == (LARGE_GROUP + 1, True)
    assert (left.member_count, left.large) == (LARGE_GROUP, True)


def test_a_full_group_takes_nobody_even_if_two_come_at_once(parts: Groups) -> None:
    parts.world.groups[ROOM] = replace(parts.group, member_count=MAX_GROUP_MEMBERS - 1)

    def join(user: str) -> Callable[[Situation], Decision]:
        return lambda now: Decision(group=now.group, event="joined", added=[row(user)])

    parts.meanwhile(lambda: parts.changes.change(CTX, ROOM, "cat", (), join("cat")))
    with pytest.raises(GroupFullError):
        parts.changes.change(CTX, ROOM, "dan", (), join("dan"))

    assert parts.group.member_count == MAX_GROUP_MEMBERS
    assert "dan" not in parts.roles()


@pytest.mark.parametrize(
    ("group_id", "error"), [("g-2", GroupNotFoundError), (WORLD, ForbiddenError)]
)
def test_no_group_and_the_world_are_not_changed(
    parts: Groups, group_id: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        parts.changes.change(CTX, group_id, "ann", (), renamed("Mine"))
    with pytest.raises(error):
        parts.changes.read(group_id, "ann")


def test_a_situation_refuses_strangers_and_lower_roles(parts: Groups) -> None:
    situation = parts.changes.read(ROOM, "ann", "bob", "cat")

    situation.require(Action.REMOVE, "ann", "bob")
    with pytest.raises(ForbiddenError):
        situation.require(Action.REMOVE, "bob", "ann")
    with pytest.raises(NotMemberError):
        situation.require(Action.REMOVE, "cat", "bob")


def test_creating_a_group_again_gives_the_first_one_and_its_line(parts: Groups) -> None:
    group = Group(id="g-2", name="New", owner_id="ann")
    rows = [ConversationMember(conversation_id="g-2", user_id="ann", role=Role.OWNER)]
    parts.kafka_is_away = True
    with pytest.raises(UnavailableError):
        parts.changes.create(CTX, group, rows)
    parts.kafka_is_away = False

    again = parts.changes.create(CTX, group, rows)

    assert (again.version, again.member_count) == (1, 1)
    assert [line["event"] for line in parts.lines()] == ["group.created"]
    assert parts.world.heads["g-2"].type.value == "group"
