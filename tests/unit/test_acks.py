from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.context import Context
from chalicelib.errors import ConversationNotFoundError, NotMemberError
from chalicelib.logic.acks import AckService
from chalicelib.logic.conversations import unread
from chalicelib.logic.directory import Directory
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.own_messages import world_member
from chalicelib.models import WORLD, AckStatus, ConversationMember, Head
from tests.fakes import FakeConnections, FakeHeads, FakeLog, FakeMembers, FakeOffline, World
from tests.fakes_relations import open_access
from tests.unit.test_delivery import ROOM, record, writer

READ, DELIVERED = AckStatus.READ, AckStatus.DELIVERED
Receipts = list[tuple[str, str, int, AckStatus]]


def service(world: World, receipts: Receipts | None = None) -> AckService:
    told = [] if receipts is None else receipts

    def new_place(conversation_id: str, user_id: str) -> ConversationMember:
        if conversation_id == WORLD:
            return world_member(user_id, world.users.get(user_id, {}))
        return ConversationMember(conversation_id=conversation_id, user_id=user_id)

    return AckService(
        access=open_access(Directory(FakeConnections(world), world.clock), world),
        heads=CurrentHeads(FakeHeads(world), FakeLog(world)),
        places=FakeMembers(world),
        pointers=FakeOffline(world),
        history=FakeLog(world),
        new_place=new_place,
        receipt=lambda _ctx, user, room, seq, status: told.append((user, room, seq, status)),
    )


def world_with(*senders: str, room: str = ROOM) -> World:
    world = World()
    for user in ("ann", "bob"):
        world.user(user)
    for offset, sender in enumerate(senders):
        writer(world).deliver([record(offset, offset, sender=sender, room=room)])
    return world


def unread_of(world: World, user: str, room: str = ROOM) -> int:
    row = world.members.get((room, user), ConversationMember(conversation_id=room, user_id=user))
    heads = CurrentHeads(FakeHeads(world), FakeLog(world)).get_conversations([room])
    return unread(heads[room], row) if room in heads else 0


@pytest.mark.req("APP-13")
def test_an_ack_reaches_as_far_as_it_says_and_the_other_side_is_told() -> None:
    receipts: Receipts = []
    world = world_with("ann", "ann")

    reached = service(world, receipts).ack(Context(), "bob", ROOM, 1, READ)

    assert reached == 1
    assert receipts == [("bob", ROOM, 1, READ)]
    assert world.members[ROOM, "bob"].delivered_seq == 1


@pytest.mark.req("APP-13")
def test_an_ack_never_goes_back_and_tells_nobody_again() -> None:
    receipts: Receipts = []
    world = world_with("ann", "ann")
    acks = service(world, receipts)
    acks.ack(Context(), "bob", ROOM, 2, READ)

    assert acks.ack(Context(), "bob", ROOM, 1, READ) == 2
    assert len(receipts) == 1


@pytest.mark.req("APP-13")
def test_an_ack_never_goes_beyond_the_last_message() -> None:
    world = world_with("ann")

    assert service(world).ack(Context(), "bob", ROOM, 99, DELIVERED) == 1
    assert service(world_with()).ack(Context(), "bob", ROOM, 99, DELIVERED) == 0


@pytest.mark.req("APP-13")
def test_an_ack_of_a_message_whose_head_is_not_yet_written_counts() -> None:
    world = world_with("ann", "ann", "bob")
    world.heads[ROOM] = replace(world.heads[ROOM], last_seq=1, sent={"ann": 1}, digests=b"")

    assert service(world).ack(Context(), "bob", ROOM, 3, READ) == 3
    assert world.members[ROOM, "bob"].own == 1


def test_an_ack_of_a_conversation_of_others_is_refused() -> None:
    world = world_with()

    with pytest.raises(NotMemberError):
        service(world).ack(Context(), "cat", ROOM, 1, READ)
    with pytest.raises(ConversationNotFoundError):
        service(world).ack(Context(), "ann", "nothing", 1, READ)


@pytest.mark.req("APP-11")
def test_the_pointer_goes_when_all_is_acknowledged_and_moves_up_before() -> None:
    world = world_with("ann", "ann", "ann")
    assert world.pointers == {("bob", ROOM): 1}

    service(world).ack(Context(), "bob", ROOM, 2, DELIVERED)
    assert world.pointers == {("bob", ROOM): 3}

    service(world).ack(Context(), "bob", ROOM, 3, DELIVERED)
    assert world.pointers == {}


def test_a_message_that_arrives_while_the_pointer_is_removed_gets_it_back() -> None:
    world = world_with("ann")

    def deliver_now(name: str) -> None:
        if name == "before clear":
            world.step = lambda _name: None
            writer(world).deliver([record(1, 1)])  # finds the old pointer and writes none

    world.step = deliver_now
    service(world).ack(Context(), "bob", ROOM, 1, DELIVERED)

    assert world.pointers == {("bob", ROOM): 2}


@pytest.mark.req("IM-5", "APP-13")
@settings(max_examples=200, deadline=None)
@given(
    room=st.sampled_from([ROOM, WORLD]),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.sampled_from(["ann", "bob"]), st.just(0)),
            st.tuples(
                st.sampled_from(["read", "delivered"]),
                st.sampled_from(["ann", "bob"]),
                st.integers(0, 15),
            ),
        ),
        max_size=20,
    ),
)
def test_unread_is_always_what_a_naive_count_says(
    room: str, steps: list[tuple[str, str, int]]
) -> None:
    world = world_with()
    senders: list[str] = []
    read = {"ann": 0, "bob": 0}

    for action, user, seq in steps:
        if action == "send":
            writer(world).deliver([record(len(senders), len(senders), sender=user, room=room)])
            senders.append(user)
        else:
            service(world).ack(Context(), user, room, seq, AckStatus(action))
            if action == "read":
                read[user] = max(read[user], min(seq, len(senders)))

        for who, after in read.items():
            naive = sum(sender != who for sender in senders[after:])
            assert unread_of(world, who, room) == naive


def test_unread_of_a_head_that_nobody_wrote_to_is_none() -> None:
    world = world_with()
    world.heads[ROOM] = Head(id=ROOM, type=record(0, 0).type)

    assert unread_of(world, "ann") == 0
