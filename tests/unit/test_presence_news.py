from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from chalicelib.logic import presence_news
from chalicelib.logic.presence_news import PAGE, PresenceNews, PresenceNewsService
from chalicelib.models import PresenceStatus, ShowPresence
from tests.fakes import FakeConnections, FakePush, World
from tests.fakes_presence import FakePresenceStates
from tests.fakes_relations import FakeRelations

pytestmark = pytest.mark.req("APP-8")
ONLINE, OFFLINE = PresenceStatus.ONLINE, PresenceStatus.OFFLINE


class Home:
    """bob, and friends of his who are connected."""

    def __init__(self, *friends: str) -> None:
        self.world = World()
        self.world.user("bob")
        self.relations = FakeRelations(self.world.clock)
        for one in friends:
            self.world.user(one, f"conn-{one}")
            self.befriend(one)
        self.enqueued: list[PresenceNews] = []
        self.later: list[str] = []
        self.service = PresenceNewsService(
            states=FakePresenceStates(self.world),
            relations=self.relations,
            connections=FakeConnections(self.world),
            push=FakePush(self.world),
            enqueue=self.enqueued.extend,
            later=self.later.extend,
        )

    def befriend(self, other: str) -> None:
        old = self.relations.get("bob", other)
        new = type(old)(users=old.users, friends=True, blocked_by=old.blocked_by)
        assert self.relations.replace(old, new)

    def block(self, other: str) -> None:
        old = self.relations.get("bob", other)
        new = type(old)(users=old.users, friends=True, blocked_by=frozenset({"bob"}))
        assert self.relations.replace(old, new)

    def tell(self, *users: str) -> None:
        self.service.tell(PresenceNews(user_id=one) for one in users or ("bob",))

    def carry_out(self) -> int:
        """Further pages, until there are none."""
        commands = 0
        while self.enqueued:
            batch, self.enqueued[:] = list(self.enqueued), []
            commands += len(batch)
            self.service.tell(batch)
        return commands

    def frames(self, friend: str) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.world.received[f"conn-{friend}"]]

    def statuses(self, friend: str) -> list[str]:
        return [frame["status"] for frame in self.frames(friend)]


def test_friends_who_are_connected_are_told_on_every_device_and_nobody_else() -> None:
    home = Home("ann", "cat")
    home.world.connect("ann", "conn-ann-2")
    home.world.users["cat"]["live"].clear()
    home.world.user("eve", "conn-eve")
    home.world.connect("bob", "conn-bob")

    home.tell()

    frame = {"type": "presence", "user_id": "bob", "status": "online", "last_seen": None}
    assert home.frames("ann") == home.frames("ann-2") == [frame]
    assert home.frames("cat") == home.frames("eve") == home.frames("bob") == []
    assert home.world.users["bob"]["told"] is ONLINE


def test_who_went_was_last_seen_then() -> None:
    home = Home("ann")
    home.world.users["bob"] |= {"told": ONLINE, "last_seen": home.world.now}

    home.tell()

    (frame,) = home.frames("ann")
    assert (frame["status"], frame["last_seen"]) == ("offline", "2023-11-14T22:13:20.000Z")


def test_what_friends_know_already_is_not_told() -> None:
    home = Home("ann")
    home.world.connect("bob", "conn-bob")

    home.tell("bob", "bob", "nobody")
    home.tell()

    assert home.statuses("ann") == ["online"]


def test_a_short_absence_is_not_told() -> None:
    """The command comes seconds after the connection ended, and finds the next one."""
    home = Home("ann")
    home.world.connect("bob", "one")
    home.tell()
    home.world.users["bob"]["live"].clear()
    home.world.connect("bob", "two")

    home.tell()

    assert home.statuses("ann") == ["online"]


def test_who_shows_themselves_to_nobody_is_offline_and_was_never_seen() -> None:
    home = Home("ann")
    home.world.connect("bob", "conn-bob")
    home.tell()
    home.world.users["bob"] |= {"show_to": ShowPresence.NOBODY, "last_seen": home.world.now}

    home.tell()
    home.world.users["bob"]["live"].clear()
    home.tell()

    (_, hidden) = home.frames("ann")
    assert (hidden["status"], hidden["last_seen"]) == ("offline", None)


def test_friends_whom_the_user_has_blocked_are_not_told() -> None:
    home = Home("ann", "cat", "dan")
    home.block("cat")
    home.world.connect("bob", "conn-bob")

    home.tell()

    assert [len(home.frames(one)) for one in ("ann", "cat", "dan")] == [1, 0, 1]


def test_many_friends_are_told_in_pages_each_a_command_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence_news, "PAGE", 3)
    friends = [f"f{number}" for number in range(8)]
    home = Home(*friends)
    home.block("f4")
    home.block("f7")
    home.world.connect("bob", "conn-bob")

    home.tell()
    assert [len(home.frames(one)) for one in friends] == [1, 1, 1, 0, 0, 0, 0, 0]
    assert home.carry_out() == 2

    assert [len(home.frames(one)) for one in friends] == [1, 1, 1, 1, 0, 1, 1, 0]


def test_5000_friends_cost_ten_commands_of_a_bounded_size() -> None:
    home = Home(*(f"f{number:04}" for number in range(5000)))
    home.world.connect("bob", "conn-bob")

    home.tell()
    first = sum(map(len, home.world.received.values()))
    further = home.carry_out()

    assert (first, further) == (PAGE, 9)
    assert sum(map(len, home.world.received.values())) == 5000


def test_further_pages_are_not_told_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_news, "PAGE", 1)
    home = Home("ann", "cat", "dan")
    home.world.connect("bob", "conn-bob")
    home.tell()
    home.world.users["bob"]["live"].clear()
    home.tell()

    home.carry_out()

    assert home.statuses("ann") == ["online", "offline"]
    assert home.statuses("cat") == home.statuses("dan") == ["offline"]


def test_whoever_comes_back_just_then_is_told_of_too() -> None:
    """They found `told` as it was, and so had nobody told."""
    home = Home("ann")
    home.world.users["bob"]["told"] = ONLINE

    def come_back(name: str) -> None:
        if name == "before told":
            home.world.step = lambda _name: None
            home.world.connect("bob", "conn-bob")

    home.world.step = come_back
    home.tell()
    home.carry_out()

    assert home.statuses("ann") == ["offline", "online"]


def test_whoever_goes_just_then_is_told_of_later_if_they_are_still_away() -> None:
    home = Home("ann")
    home.world.connect("bob", "one")

    def go(name: str) -> None:
        if name == "before told":
            home.world.step = lambda _name: None
            home.world.users["bob"]["live"].clear()

    home.world.step = go
    home.tell()

    assert (home.carry_out(), home.later) == (0, ["bob"])
    home.world.connect("bob", "two")
    home.tell(*home.later)
    assert home.statuses("ann") == ["online"]


def test_a_command_that_is_repeated_after_a_crash_tells_again_and_nobody_is_left_out() -> None:
    home = Home("ann")
    home.world.connect("bob", "conn-bob")

    def crash(_users: Iterable[PresenceNews]) -> None:
        raise ConnectionError

    home.service._enqueue = crash
    with pytest.raises(ConnectionError):
        home.tell()
    home.service._enqueue = home.enqueued.extend
    home.tell()

    assert home.statuses("ann") == ["online", "online"]
