from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.logic.policies import PresencePolicy
from chalicelib.logic.presence_views import PresenceViews
from chalicelib.models import (
    WORLD,
    ConversationMember,
    Presence,
    PresenceStatus,
    ShowPresence,
    direct_id,
)
from tests.fakes import FakeMembers, World
from tests.fakes_presence import FakePresenceStates
from tests.fakes_relations import FakeRelations

pytestmark = pytest.mark.req("APP-8")
SEEN = "2023-11-14T22:13:20.000Z"
HIDDEN = Presence(user_id="bob")
ONLINE = Presence(user_id="bob", status=PresenceStatus.ONLINE)


class Home:
    """ann looks at bob, who is online."""

    def __init__(self, *, strangers_may_see: bool = True) -> None:
        self.world = World()
        for user in ("ann", "bob"):
            self.world.user(user, f"conn-{user}")
        self.relations = FakeRelations(self.world.clock, "ann", "bob")
        self.views = PresenceViews(
            states=FakePresenceStates(self.world),
            relations=self.relations,
            memberships=FakeMembers(self.world),
            policy=lambda: PresencePolicy(strangers_may_see=strangers_may_see),
        )

    def relate(self, *, friends: bool = False, blocked_by: str = "") -> None:
        old = self.relations.get("ann", "bob")
        blocks = frozenset({blocked_by} if blocked_by else ())
        assert self.relations.replace(old, replace(old, friends=friends, blocked_by=blocks))

    def meet(self, conversation_id: str) -> None:
        for user in ("ann", "bob"):
            row = ConversationMember(conversation_id=conversation_id, user_id=user)
            self.world.members[conversation_id, user] = row

    def show_to(self, whom: ShowPresence) -> None:
        self.world.users["bob"]["show_to"] = whom

    def seen(self) -> Presence:
        (found,) = self.views.of("ann", ["bob"])
        return found


def test_a_user_is_seen_online_away_and_offline() -> None:
    home = Home()
    assert home.seen() == ONLINE

    home.world.users["bob"]["away"] = {"conn-bob"}
    assert home.seen().status is PresenceStatus.AWAY
    home.world.users["bob"] |= {"live": {}, "last_seen": home.world.now}

    assert home.seen() == Presence(user_id="bob", last_seen=SEEN)


def test_a_connection_that_vanished_counts_until_it_expires() -> None:
    home = Home()

    home.world.now += 3601

    assert home.seen() == Presence(user_id="bob")


def test_who_does_not_exist_is_left_out_and_the_others_come_once_in_order() -> None:
    home = Home()
    home.world.user("eve")
    home.world.users["eve"]["deleted_at"] = home.world.now

    found = home.views.of("ann", ["bob", "nobody", "eve", "ann", "bob"])

    assert [(one.user_id, one.status) for one in found] == [("bob", "online"), ("ann", "online")]


@pytest.mark.parametrize(
    ("show_to", "friends", "is_seen"),
    [
        (ShowPresence.EVERYBODY, False, True),
        (ShowPresence.EVERYBODY, True, True),
        (ShowPresence.FRIENDS, False, False),
        (ShowPresence.FRIENDS, True, True),
        (ShowPresence.NOBODY, False, False),
        (ShowPresence.NOBODY, True, False),
    ],
)
def test_a_user_is_seen_by_whom_they_want(
    show_to: ShowPresence, friends: bool, is_seen: bool
) -> None:
    home = Home()
    home.relate(friends=friends)
    home.show_to(show_to)

    assert home.seen() == (ONLINE if is_seen else HIDDEN)


def test_one_always_sees_oneself() -> None:
    home = Home()
    home.show_to(ShowPresence.NOBODY)

    assert home.views.of("bob", ["bob"]) == [ONLINE]


def test_who_is_blocked_does_not_see_who_blocked_them_even_as_a_friend() -> None:
    home = Home()

    home.relate(friends=True, blocked_by="bob")
    assert home.seen() == HIDDEN
    home.relate(friends=True, blocked_by="ann")

    assert home.seen() == ONLINE


@pytest.mark.parametrize("room", [direct_id("ann", "bob"), "g-1"])
def test_where_strangers_may_not_see_a_conversation_makes_acquainted(room: str) -> None:
    home = Home(strangers_may_see=False)
    home.meet(WORLD)
    assert home.seen() == HIDDEN, "everybody is in the world room"

    home.meet(room)
    assert home.seen() == ONLINE
    home.show_to(ShowPresence.FRIENDS)

    assert home.seen() == HIDDEN
