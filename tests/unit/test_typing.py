from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from chalicelib.errors import (
    BlockedError,
    ConversationNotFoundError,
    MutedError,
    NotMemberError,
)
from chalicelib.logic import typing as module
from chalicelib.logic.access import Access
from chalicelib.logic.blocks import Correspondence
from chalicelib.logic.policies import MessagePolicy
from chalicelib.logic.receipts import SMALL
from chalicelib.logic.typing import EACH_SECONDS, MAX_MEMBERS, TypingService
from chalicelib.models import WORLD, AckStatus, direct_id
from tests.fakes import FakeConnections, FakePush, World
from tests.fakes_groups import audiences, group_access, grouped
from tests.fakes_relations import FakeRelations
from tests.unit import test_receipts
from tests.unit.test_delivery import record, writer

ROOM = direct_id("ann", "bob")


class Room:
    """Users who are connected; of some of them a group."""

    def __init__(self, *users: str, connections: bool = True, **group: object) -> None:
        self.world = World()
        for user in users:
            self.world.user(user, *((f"conn-{user}",) if connections else ()))
        grouped(self.world, "g-1", *users, **group)
        self.relations = FakeRelations(self.world.clock, *users)
        self.service = self.process()

    def process(self) -> TypingService:
        correspondence = Correspondence(self.relations, MessagePolicy, self.world.clock)
        return TypingService(
            access=Access(self.relations, correspondence, group_access(self.world)),
            relations=self.relations,
            audiences=audiences(self.world),
            connections=FakeConnections(self.world),
            push=FakePush(self.world),
            clock=self.world.clock,
        )

    def block(self, user: str, other: str) -> None:
        old = self.relations.get(user, other)
        assert self.relations.replace(old, replace(old, blocked_by=frozenset({user})))

    def told(self, user: str) -> list[tuple[str, str]]:
        frames = [json.loads(text) for text in self.world.received[f"conn-{user}"]]
        return [(one["conversation_id"], one["user_id"]) for one in frames]

    def pushes(self) -> int:
        return sum(map(len, self.world.received.values()))


def crowd(count: int) -> list[str]:
    return [f"u{number:03}" for number in range(count)]


def test_the_other_sees_it_on_every_device_and_nobody_else() -> None:
    room = Room("ann", "bob", "cat")
    room.world.connect("bob", "conn-bob-2")

    room.service.tell("ann", ROOM)

    frame = {"type": "typing", "conversation_id": ROOM, "user_id": "ann"}
    for connection in ("conn-bob", "conn-bob-2"):
        assert [json.loads(text) for text in room.world.received[connection]] == [frame]
    assert room.told("ann") == room.told("cat") == []


def test_in_a_group_every_other_member_sees_it() -> None:
    room = Room("ann", "bob", "cat")
    room.world.user("eve", "conn-eve")

    room.service.tell("ann", "g-1")

    assert room.told("bob") == room.told("cat") == [("g-1", "ann")]
    assert room.told("ann") == room.told("eve") == []


def test_each_user_and_conversation_is_told_of_once_in_three_seconds() -> None:
    room = Room("ann", "bob")
    for _ in range(5):
        room.service.tell("ann", ROOM)
        room.service.tell("bob", ROOM)
        room.service.tell("ann", "g-1")
    assert room.told("bob") == [(ROOM, "ann"), ("g-1", "ann")]
    assert room.told("ann") == [(ROOM, "bob")]

    room.world.now += EACH_SECONDS
    room.service.tell("ann", ROOM)

    assert len(room.told("bob")) == 3


def test_a_group_of_200_gets_at_most_199_pushes_in_three_seconds_however_many_write() -> None:
    users = crowd(MAX_MEMBERS)
    room = Room(*users)

    for _ in range(3):
        for user in users:
            room.service.tell(user, "g-1")
    assert room.pushes() == MAX_MEMBERS - 1
    room.world.now += EACH_SECONDS
    for user in reversed(users):
        room.service.tell(user, "g-1")

    assert room.pushes() == 2 * (MAX_MEMBERS - 1)


@pytest.mark.req("APP-13")
def test_receipts_in_a_group_of_200_are_two_pushes_for_each_message() -> None:
    """Though everybody acknowledges it twice, and each command comes by itself."""
    users = crowd(MAX_MEMBERS)
    room = Room(*users, connections=False)
    room.world.connect("u000", "conn-u000")
    writer(room.world).deliver([record(0, 1, 2, 3, sender="u000", room="g-1")])
    room.world.received.clear()
    service = test_receipts.service(room.world)

    for seq in (1, 3, 2):
        for user in users[1:]:
            for status in AckStatus:
                one = test_receipts.receipt(user, seq, status, conversation_id="g-1")
                service.notify([one])

    assert sorted(test_receipts.places(room.world, "conn-u000")) == [
        ("delivered", 1), ("delivered", 3), ("read", 1), ("read", 3),
    ]  # fmt: skip


def test_in_a_small_group_everybody_who_writes_is_seen() -> None:
    users = crowd(SMALL)
    room = Room(*users)

    for user in users:
        room.service.tell(user, "g-1")

    assert room.pushes() == SMALL * (SMALL - 1)


@pytest.mark.parametrize("where", ["g-1", WORLD])
def test_a_larger_group_and_the_world_room_are_not_told(where: str) -> None:
    room = Room(*crowd(MAX_MEMBERS + 1))

    room.service.tell("u000", where)

    assert room.pushes() == 0


@pytest.mark.req("APP-6")
def test_neither_of_two_sees_the_other_write_where_one_has_blocked_the_other() -> None:
    room = Room("ann", "bob")
    room.block("ann", "bob")

    room.service.tell("ann", ROOM)
    with pytest.raises(BlockedError):
        room.service.tell("bob", ROOM)

    assert room.pushes() == 0


def test_who_may_not_write_there_tells_nobody() -> None:
    room = Room("ann", "bob", muted_until=World.now + 60)
    room.world.user("eve")
    refused: Sequence[tuple[str, str, type[Exception]]] = [
        ("bob", "g-1", MutedError),
        ("eve", "g-1", NotMemberError),
        ("eve", ROOM, NotMemberError),
        ("ann", "nowhere", ConversationNotFoundError),
    ]

    for user, where, error in refused:
        with pytest.raises(error):
            room.service.tell(user, where)

    assert room.pushes() == 0


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_ENTRIES", 2)
    room = Room("ann", "bob", "cat")

    for other in ("bob", "cat"):
        room.service.tell("ann", direct_id("ann", other))
    room.service.tell("bob", ROOM)

    assert len(room.service._until) == 1
    assert room.told("ann") == [(ROOM, "bob")]
