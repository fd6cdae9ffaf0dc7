from __future__ import annotations

import pytest

from chalicelib.errors import (
    BlockedError,
    ConversationNotFoundError,
    NotMemberError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.frames import Draft
from chalicelib.logic.access import Access
from chalicelib.logic.directory import Directory
from chalicelib.models import WORLD, ConversationType, direct_id
from tests.fakes import FakeConnections, World
from tests.fakes_groups import group_access
from tests.fakes_relations import open_access

ROOM = direct_id("ann", "bob")


def draft(**where: str) -> Draft:
    return Draft(client_msg_id="c", content="", **where)


@pytest.fixture
def access() -> Access:
    world = World()
    for user in ("ann", "bob"):
        world.user(user)
    return open_access(Directory(FakeConnections(world), world.clock))


class Refuses:
    """Nobody may write to anybody."""

    def require(self, user_id: str, other_id: str) -> None:
        raise BlockedError(f"{user_id} to {other_id}")


@pytest.fixture
def refusing(access: Access) -> Access:
    return Access(access._directory, Refuses(), group_access(World()))


def test_two_people_have_one_conversation_whoever_writes(access: Access) -> None:
    by_name = access.resolve("ann", draft(to="bob"))
    by_id = access.resolve("bob", draft(conversation_id=ROOM))

    assert by_name == by_id == (ROOM, ConversationType.DIRECT)


def test_everybody_is_in_the_world_room(access: Access) -> None:
    assert access.check("ann", WORLD) is ConversationType.WORLD
    assert access.resolve("ann", draft(conversation_id=WORLD)) == (WORLD, ConversationType.WORLD)


def test_a_conversation_of_others_is_refused_whether_they_exist_or_not(access: Access) -> None:
    for room in (ROOM, direct_id("no", "body")):
        with pytest.raises(NotMemberError):
            access.check("cat", room)
        with pytest.raises(NotMemberError):
            access.resolve("cat", draft(conversation_id=room))


@pytest.mark.parametrize("room", ["", "g-1", "d-", "d-ann", "d-ann-", "d-bob-ann", "d-ann-ann"])
def test_an_id_that_can_be_no_conversation_is_not_found(access: Access, room: str) -> None:
    with pytest.raises(ConversationNotFoundError):
        access.check("ann", room)
    with pytest.raises(ConversationNotFoundError):
        access.resolve("ann", draft(conversation_id=room))


def test_a_conversation_with_nobody_is_not_found(access: Access) -> None:
    with pytest.raises(ConversationNotFoundError):
        access.check("ann", direct_id("ann", "nobody"))
    with pytest.raises(ConversationNotFoundError):
        access.resolve("ann", draft(conversation_id=direct_id("ann", "nobody")))
    with pytest.raises(UserNotFoundError):
        access.resolve("ann", draft(to="nobody"))


def test_nobody_writes_to_themselves(access: Access) -> None:
    with pytest.raises(SelfError):
        access.resolve("ann", draft(to="ann"))


@pytest.mark.req("APP-6")
@pytest.mark.parametrize("where", [{"to": "bob"}, {"conversation_id": ROOM}], ids=["to", "id"])
def test_who_may_not_write_to_somebody_may_still_read(
    refusing: Access, where: dict[str, str]
) -> None:
    with pytest.raises(BlockedError, match="ann to bob"):
        refusing.resolve("ann", draft(**where))
    assert refusing.check("ann", ROOM) is ConversationType.DIRECT


@pytest.mark.req("APP-6")
def test_how_two_people_stand_is_nothing_to_the_world_room(refusing: Access) -> None:
    assert refusing.resolve("ann", draft(conversation_id=WORLD))[0] == WORLD


@pytest.mark.req("TASK-6")
def test_what_a_deleted_user_wrote_is_read_and_nobody_writes_to_them() -> None:
    world = World()
    for user in ("ann", "bob"):
        world.user(user)
    FakeConnections(world).close_user("bob")
    access = open_access(Directory(FakeConnections(world), world.clock))

    assert access.check("ann", ROOM) is ConversationType.DIRECT
    for where in ({"to": "bob"}, {"conversation_id": ROOM}):
        with pytest.raises(UserNotFoundError):
            access.resolve("ann", draft(**where))
