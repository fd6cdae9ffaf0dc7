from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.context import Context
from chalicelib.errors import NotMemberError, SelfError, UserNotFoundError
from chalicelib.logic.conversations import ConversationService
from chalicelib.logic.directory import Directory
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.own_messages import world_member
from chalicelib.models import (
    MAX_INLINE_BYTES,
    WORLD,
    AckStatus,
    Changed,
    ConversationMember,
    ConversationType,
    direct_id,
)
from tests.fakes import FakeConnections, FakeHeads, FakeLog, FakeMembers, World
from tests.fakes_changes import FakeChanges, reader
from tests.fakes_groups import FakeGroups
from tests.fakes_presence import FakeSettings
from tests.fakes_relations import open_access
from tests.unit import test_acks
from tests.unit.test_delivery import ROOM, record, writer


def service(world: World) -> ConversationService:
    def new_place(conversation_id: str, user_id: str) -> ConversationMember:
        if conversation_id == WORLD:
            return world_member(user_id, world.users[user_id])
        return ConversationMember(conversation_id=conversation_id, user_id=user_id)

    directory = Directory(FakeConnections(world), world.clock)
    return ConversationService(
        access=open_access(directory, world),
        directory=directory,
        heads=CurrentHeads(FakeHeads(world), FakeLog(world)),
        opened=FakeHeads(world),
        memberships=FakeMembers(world),
        groups=FakeGroups(world),
        reader=reader(world),
        new_place=new_place,
        settings=FakeSettings(world),
        clock=world.clock,
    )


@pytest.fixture
def world() -> World:
    made = World()
    for user in ("ann", "bob", "cat"):
        made.user(user)
    return made


@pytest.mark.req("IM-10")
def test_a_direct_conversation_is_opened_once_whoever_asks(world: World) -> None:
    first, created = service(world).open_direct("ann", "bob")
    again, created_again = service(world).open_direct("bob", "ann")

    assert (created, created_again) == (True, False)
    assert first.head == again.head
    assert (first.peer_id, again.peer_id) == ("bob", "ann")


@pytest.mark.req("IM-10")
def test_an_opened_conversation_is_listed_by_both(world: World) -> None:
    service(world).open_direct("ann", "bob")

    for user in ("ann", "bob"):
        assert {view.head.id for view in service(world).all(user)} == {ROOM, WORLD}
    assert {view.head.id for view in service(world).all("cat")} == {WORLD}


def test_opening_a_conversation_again_keeps_what_was_read(world: World) -> None:
    writer(world).deliver([record(0, 1)])
    test_acks.service(world).ack(Context(), "bob", ROOM, 1, AckStatus.READ)

    view, created = service(world).open_direct("bob", "ann")

    assert (created, view.member.read_seq, view.unread_count) == (False, 1, 0)


def test_a_conversation_with_oneself_or_nobody_is_refused(world: World) -> None:
    with pytest.raises(SelfError):
        service(world).open_direct("ann", "ann")
    with pytest.raises(UserNotFoundError):
        service(world).open_direct("ann", "nobody")

    assert world.heads == {}
    assert world.members == {}


def test_a_conversation_of_others_is_not_shown(world: World) -> None:
    service(world).open_direct("ann", "bob")

    with pytest.raises(NotMemberError):
        service(world).get("cat", ROOM)


def test_a_conversation_that_nobody_wrote_in_is_empty(world: World) -> None:
    view = service(world).get("ann", ROOM)

    assert (view.head.last_seq, view.unread_count) == (0, 0)
    assert view.last_message is None
    assert view.peer is None


@pytest.mark.req("IM-4")
def test_a_conversation_has_its_type_times_and_last_message(world: World) -> None:
    opened, _ = service(world).open_direct("ann", "bob")
    writer(world).deliver([record(0, 1), record(1, 2, sender="bob")])

    view = service(world).get("ann", ROOM)

    assert view.last_message is not None
    assert (view.head.id, view.head.type) == (ROOM, ConversationType.DIRECT)
    assert view.last_message["id"] == world.log(ROOM)[-1].id
    assert view.head.created_at == opened.head.created_at
    assert view.head.updated_at > view.head.created_at


def test_a_last_message_too_long_for_the_head_is_read_from_the_log(world: World) -> None:
    long = record(0, 1)
    body = {**long.messages[0], "content": "x" * MAX_INLINE_BYTES}
    writer(world).deliver([replace(long, messages=[body])])

    view = service(world).get("ann", ROOM)

    assert world.heads[ROOM].last == ""
    assert view.last_message == {**body, "seq": 1}


@pytest.mark.req("IM-5", "APP-13")
def test_each_side_sees_its_own_unread_count_and_how_far_the_other_is(world: World) -> None:
    writer(world).deliver([record(0, 1), record(1, 2), record(2, 3, sender="bob")])
    test_acks.service(world).ack(Context(), "bob", ROOM, 1, AckStatus.READ)

    ann, bob = service(world).get("ann", ROOM), service(world).get("bob", ROOM)

    assert (ann.unread_count, bob.unread_count) == (1, 1)
    assert ann.peer is not None
    assert (ann.peer.user_id, ann.peer.read_seq) == ("bob", 1)


def test_the_conversation_with_the_newest_message_comes_first(world: World) -> None:
    other = direct_id("bob", "cat")
    for at, room in enumerate((ROOM, other, WORLD, ROOM)):
        sender = "cat" if room == other else "ann"
        one = record(at, at, sender=sender, room=room)
        stamped = {**one.messages[0], "created_at": f"2026-11-21T00:00:0{at}.000Z"}
        writer(world).deliver([replace(one, messages=[stamped])])

    assert [view.head.id for view in service(world).all("bob")] == [ROOM, WORLD, other]


def test_the_world_room_is_unread_from_where_it_stood_at_registration(world: World) -> None:
    writer(world).deliver([record(0, 1, room=WORLD), record(1, 2, room=WORLD)])
    world.user("new", world_seq=2)
    writer(world).deliver([record(2, 3, room=WORLD), record(3, 4, sender="new", room=WORLD)])

    (view,) = service(world).all("new")

    assert (view.head.last_seq, view.unread_count, view.peer_id) == (4, 1, None)


def test_a_last_message_that_was_changed_is_shown_as_it_is_now(world: World) -> None:
    writer(world).deliver([record(0, 1), record(1, 2)])
    FakeChanges(world).put(Changed(conversation_id=ROOM, seq=2, content="new", edited_at="now"))
    segment = FakeLog(world).containing(ROOM, 2)
    assert segment is not None
    FakeLog(world).mark_changed(segment)
    FakeHeads(world).mark_changed(ROOM, 2)

    edited = service(world).get("bob", ROOM).last_message
    FakeChanges(world).hide(ROOM, "bob", 2)
    views = {user: service(world).get(user, ROOM).last_message for user in ("ann", "bob")}

    assert edited is not None
    assert (edited["content"], edited["edited_at"]) == ("new", "now")
    assert views["ann"] == edited
    assert views["bob"] is not None
    assert (views["bob"]["content"], views["bob"]["deleted"]) == ("", True)
