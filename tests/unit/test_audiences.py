from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.logic import audiences as module
from chalicelib.logic.audiences import Audience, Audiences
from chalicelib.models import WORLD
from tests.fakes import FakeMembers, World
from tests.fakes_groups import FakeGroups, grouped
from tests.unit.test_delivery import ROOM


class Rosters(FakeMembers):
    """Remembers which rosters were read."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reads: list[str] = []

    def roster(self, conversation_id: str) -> dict[str, int]:
        self.reads.append(conversation_id)
        return super().roster(conversation_id)


@pytest.fixture
def world() -> World:
    made = World()
    grouped(made, "g-1", "ann", "bob")
    return made


def test_direct_conversations_cost_no_call(world: World) -> None:
    groups = FakeGroups(world)

    found = Audiences(groups, Rosters(world)).of([ROOM, WORLD])

    assert found == {ROOM: Audience({"ann": 0, "bob": 0})}
    assert groups.reads == 0


def test_the_members_of_groups_are_read_once_while_their_versions_stay(world: World) -> None:
    grouped(world, "g-2", "cat")
    groups, rosters = FakeGroups(world), Rosters(world)
    audiences = Audiences(groups, rosters)

    first = audiences.of(["g-1", "g-2"])
    world.groups["g-1"] = replace(world.groups["g-1"], version=2)
    del world.members["g-1", "bob"]
    second = audiences.of(["g-1", "g-2"])

    assert (list(first["g-1"].joined), list(second["g-1"].joined)) == (["ann", "bob"], ["ann"])
    assert rosters.reads == ["g-1", "g-2", "g-1"]
    assert groups.reads == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, (False, True)), ({"large": True}, (True, False)), ({"dismissed": True}, (False, False))],
)
def test_who_misses_a_message_of_a_large_or_dismissed_group_gets_no_pointer(
    fields: dict[str, bool], expected: tuple[bool, bool]
) -> None:
    world = World()
    grouped(world, "g-1", "ann", **fields)

    audience = Audiences(FakeGroups(world), Rosters(world)).of(["g-1"])["g-1"]

    assert (audience.large, audience.gets_pointers) == expected


def test_a_group_that_does_not_exist_has_no_members(world: World) -> None:
    assert Audiences(FakeGroups(world), Rosters(world)).of(["g-3"]) == {"g-3": Audience({})}


def test_only_so_many_members_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_REMEMBERED", 2)
    grouped(world, "g-2", "cat")
    rosters = Rosters(world)
    audiences = Audiences(FakeGroups(world), rosters)

    for key in ("g-1", "g-2", "g-2", "g-1"):
        audiences.of([key])

    assert rosters.reads == ["g-1", "g-2", "g-1"]
