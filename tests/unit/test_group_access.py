from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from chalicelib.errors import (
    ConversationNotFoundError,
    IMError,
    MutedError,
    NotMemberError,
    UnavailableError,
)
from chalicelib.logic.group_access import GroupAccess
from chalicelib.models import Role, Standing
from tests.fakes import FakeMembers, World
from tests.fakes_groups import FakeGroups, group_access, grouped

pytestmark = pytest.mark.req("APP-15")
ROOM = "g-1"


class Away(FakeGroups):
    """A store that may be away."""

    away = False

    def standings(self, user_id: str, group_ids: Iterable[str]) -> dict[str, Standing]:
        if self.away:
            raise UnavailableError
        return super().standings(user_id, group_ids)


@pytest.fixture
def world() -> World:
    made = World()
    grouped(made, ROOM, "ann", "bob")
    return made


def change_group(world: World, **fields: object) -> None:
    world.groups[ROOM] = replace(world.groups[ROOM], **fields)  # type: ignore[arg-type]


def change_member(world: World, user: str, **fields: object) -> None:
    row = world.members[ROOM, user]
    world.members[ROOM, user] = replace(row, **fields)  # type: ignore[arg-type]


def refused(world: World, user: str, access: GroupAccess | None = None) -> type[IMError] | None:
    try:
        (access or group_access(world)).require_writer(user, ROOM)
    except IMError as error:
        return type(error)
    return None


def test_members_read_and_write_and_others_do_not(world: World) -> None:
    assert group_access(world).member("bob", ROOM).user_id == "bob"
    assert refused(world, "bob") is None
    assert refused(world, "cat") is NotMemberError
    with pytest.raises(NotMemberError):
        group_access(world).member("cat", ROOM)


def test_there_is_no_such_group(world: World) -> None:
    with pytest.raises(ConversationNotFoundError):
        group_access(world).member("ann", "g-2")


def test_every_change_is_in_force_with_the_next_frame(world: World) -> None:
    access = group_access(world)
    assert refused(world, "bob", access) is None

    change_member(world, "bob", muted_until=world.now + 1)
    assert refused(world, "bob", access) is MutedError
    world.now += 1
    assert refused(world, "bob", access) is None
    row = world.members.pop((ROOM, "bob"))
    assert refused(world, "bob", access) is NotMemberError
    world.members[ROOM, "bob"] = row
    change_group(world, dismissed=True)
    assert refused(world, "bob", access) is NotMemberError


@pytest.mark.parametrize("role", Role)
def test_muting_everybody_leaves_owner_and_admins_out(world: World, role: Role) -> None:
    change_group(world, muted_until=world.now + 60)
    change_member(world, "bob", role=role)

    assert refused(world, "bob") is (MutedError if role is Role.MEMBER else None)


def test_a_mute_says_when_it_ends(world: World) -> None:
    change_group(world, muted_until=world.now + 60)
    change_member(world, "bob", muted_until=world.now + 90)

    with pytest.raises(MutedError) as caught:
        group_access(world).require_writer("bob", ROOM)

    assert caught.value.retry_after == 90


@pytest.mark.req("SHAPE-4")
def test_while_the_store_is_away_those_who_were_let_in_may_write(world: World) -> None:
    groups = Away(world)
    access = GroupAccess(groups, FakeMembers(world), world.clock)
    assert refused(world, "bob", access) is None

    groups.away = True

    assert refused(world, "bob", access) is None
    assert refused(world, "ann", access) is UnavailableError
    groups.away = False
    del world.members[ROOM, "bob"]
    assert refused(world, "bob", access) is NotMemberError
    groups.away = True
    assert refused(world, "bob", access) is UnavailableError, "what was known last counts"


def test_of_several_groups_those_that_may_be_read(world: World) -> None:
    grouped(world, "g-2", "cat")
    grouped(world, "g-3", "bob", dismissed=True)

    assert list(group_access(world).readable("bob", [ROOM, "g-2", "g-3", "g-4"])) == [ROOM]


def test_the_large_groups_of_a_user(world: World) -> None:
    grouped(world, "g-2", "cat", "bob", large=True)
    grouped(world, "g-3", "bob", large=True, dismissed=True)
    grouped(world, "g-4", "cat", large=True)

    assert group_access(world).large_groups("bob") == ["g-2"]
    assert group_access(world).large_groups("dan") == []
