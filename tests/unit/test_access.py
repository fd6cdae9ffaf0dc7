from __future__ import annotations

import pytest

from chalicelib.errors import ConversationNotFoundError, NotMemberError
from chalicelib.frames import Draft
from chalicelib.logic.access import Access
from chalicelib.logic.directory import Directory
from chalicelib.models import WORLD, ConversationType, direct_id
from tests.fakes import FakeConnections, World


@pytest.fixture
def access() -> Access:
    world = World()
    for user in ("ann", "bob"):
        world.user(user)
    return Access(Directory(FakeConnections(world), world.clock))


def test_two_people_have_one_conversation_whoever_writes(access: Access) -> None:
    by_name = access.resolve("ann", Draft(client_msg_id="c", content="", to="bob"))
    by_id = access.resolve(
        "bob", Draft(client_msg_id="c", content="", conversation_id=direct_id("ann", "bob"))
    )

    assert by_name == by_id == (direct_id("ann", "bob"), ConversationType.DIRECT)


def test_everybody_is_in_the_world_room(access: Access) -> None:
    assert access.check("ann", WORLD) is ConversationType.WORLD


def test_a_conversation_of_others_is_refused_whether_they_exist_or_not(access: Access) -> None:
    for room in (direct_id("ann", "bob"), direct_id("no", "body")):
        with pytest.raises(NotMemberError):
            access.check("cat", room)


@pytest.mark.parametrize("room", ["", "g-1", "d-", "d-ann", "d-ann-", "d-bob-ann", "d-ann-ann"])
def test_an_id_that_can_be_no_conversation_is_not_found(access: Access, room: str) -> None:
    with pytest.raises(ConversationNotFoundError):
        access.check("ann", room)


def test_a_conversation_with_nobody_is_not_found(access: Access) -> None:
    with pytest.raises(ConversationNotFoundError):
        access.check("ann", direct_id("ann", "nobody"))
