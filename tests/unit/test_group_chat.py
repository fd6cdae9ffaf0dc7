"""The path of a message in a group: numbered, pushed, missed, read, counted."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.context import Context
from chalicelib.errors import MutedError, NotMemberError
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.messages import MessageService
from chalicelib.logic.receipts import SMALL
from chalicelib.models import AckStatus, ConversationMember
from tests.fakes import World
from tests.fakes_groups import grouped
from tests.unit import test_acks, test_conversations, test_messages, test_receipts, test_sync
from tests.unit.test_acks import unread_of
from tests.unit.test_delivery import received, record, writer
from tests.unit.test_group_changes import CTX, Groups

pytestmark = pytest.mark.req("APP-15")
ROOM = "g-1"


def world_of(*users: str, **fields: object) -> World:
    world = World()
    for user in users:
        world.user(user, f"conn-{user}")
    grouped(world, ROOM, *users, **fields)
    return world


def send(world: World, *numbers: int, sender: str = "ann") -> None:
    writer(world).deliver([record(numbers[0], *numbers, sender=sender, room=ROOM)])


def numbers(world: World, connection: str) -> list[int]:
    return [seq for seq, _ in received(world, connection)]


def left(world: World, user: str) -> None:
    group = world.groups[ROOM]
    del world.members[ROOM, user]
    world.groups[ROOM] = type(group)(
        **{name: getattr(group, name) for name in group.__slots__} | {"version": group.version + 1}
    )


def joined(world: World, user: str, after: int) -> None:
    world.members[ROOM, user] = ConversationMember(
        conversation_id=ROOM,
        user_id=user,
        joined_seq=after,
        read_seq=after,
        delivered_seq=after,
    )


def messages(world: World) -> MessageService:
    return test_messages.service(test_messages.Outbox(), world)


def test_every_member_gets_a_message_and_who_is_absent_a_pointer() -> None:
    world = world_of("ann", "bob", "cat")
    world.users["cat"]["live"].clear()

    send(world, 1, 2)

    for user in ("ann", "bob"):
        assert numbers(world, f"conn-{user}") == [1, 2]
    assert world.pointers == {("cat", ROOM): 1}


def test_who_left_gets_nothing_more() -> None:
    world = world_of("ann", "bob", "cat")
    send(world, 1)
    left(world, "bob")

    send(world, 2)

    assert (numbers(world, "conn-bob"), numbers(world, "conn-cat")) == ([1], [1, 2])


def test_nobody_gets_what_was_numbered_before_they_joined() -> None:
    world = world_of("ann", "bob")
    for user, connections in (("cat", ["conn-cat"]), ("dan", [])):
        world.user(user, *connections)
        joined(world, user, after=2)

    send(world, 1, 2, 3)

    assert (numbers(world, "conn-bob"), numbers(world, "conn-cat")) == ([1, 2, 3], [3])
    assert world.pointers == {("dan", ROOM): 3}


def test_a_redelivery_of_what_was_before_leaves_a_new_member_alone() -> None:
    world = world_of("ann", "bob")
    world.user("cat", "conn-cat")
    joined(world, "cat", after=1)

    send(world, 1)

    assert (numbers(world, "conn-cat"), world.pointers) == ([], {})


def test_who_leaves_during_the_delivery_gets_no_pointer() -> None:
    world = world_of("ann", "bob")
    world.users["bob"]["live"].clear()

    def leave(name: str) -> None:
        if name == "before push":
            world.members.pop((ROOM, "bob"), None)

    world.step = leave
    send(world, 1)

    assert world.pointers == {}


def test_what_was_missed_in_a_large_group_comes_when_one_connects() -> None:
    world = world_of("ann", "bob", large=True)
    world.users["bob"]["live"].clear()
    send(world, 1, 2, 3)
    test_acks.service(world).ack(Context(), "bob", ROOM, 1, AckStatus.DELIVERED)
    world.pointers["bob", ROOM] = 1  # of the time when it was not large

    connection = world.connect("bob", "new", at=world.now)
    test_sync.service(world).drain([connection])

    assert numbers(world, "new") == [2, 3]


def test_a_backlog_is_of_groups_that_one_is_in_and_begins_with_joining() -> None:
    world = world_of("ann", "bob")
    send(world, 1, 2, 3)
    world.user("cat")
    world.pointers = {("cat", ROOM): 1}
    connection = world.connect("cat", "conn-cat", at=world.now)

    test_sync.service(world).drain([connection])
    assert numbers(world, "conn-cat") == []
    joined(world, "cat", after=2)
    test_sync.service(world).drain([connection])

    assert numbers(world, "conn-cat") == [3]


def test_cursors_of_groups_that_one_has_left_are_passed_over() -> None:
    world = world_of("ann", "bob")
    grouped(world, "g-2", "bob")
    send(world, 1, 2)
    left(world, "bob")
    world.connect("bob", "again")

    assert test_sync.service(world).sync("bob", "again", {ROOM: 0, "g-2": 0, "g-3": 0}) is False
    assert numbers(world, "again") == []


def test_history_begins_with_joining_in_both_directions() -> None:
    world = world_of("ann", "bob")
    send(world, 1, 2, 3, 4)
    joined(world, "bob", after=2)

    def page(**bounds: int) -> list[int]:
        both = {"before": None, "after": None, **bounds}
        found = messages(world).get_messages("bob", ROOM, limit=10, **both)
        return [one.seq for one in found]

    assert (page(), page(after=0), page(before=4), page(before=3)) == ([4, 3], [3, 4], [3], [])


def test_a_frame_asks_once_for_each_group_it_writes_to() -> None:
    world = world_of("ann", "bob")
    drafts = [Draft(client_msg_id=str(n), content="", conversation_id=ROOM) for n in range(25)]
    service = messages(world)
    groups = service._access._groups._groups  # type: ignore[attr-defined]

    service.send_message(Context(), "bob", drafts)

    assert groups.reads == 1


def test_who_is_muted_may_read_and_not_write() -> None:
    world = world_of("ann", "bob", muted_until=World.now + 60)
    draft = Draft(client_msg_id="c1", content="", conversation_id=ROOM)

    (refused,) = messages(world).send_message(Context(), "bob", [draft])

    assert isinstance(refused, Rejected)
    assert isinstance(refused.error, MutedError)
    assert messages(world).get_messages("bob", ROOM, before=None, after=0, limit=1) == []


def test_conversations_show_groups_that_one_is_in() -> None:
    world = world_of("ann", "bob")
    grouped(world, "g-2", "bob", dismissed=True)
    send(world, 1)
    world.user("cat")
    joined(world, "cat", after=1)
    service = test_conversations.service(world)

    def shown(user: str) -> dict[str, tuple[int, bool]]:
        views = service.all(user)
        found = {view.head.id: (view.unread_count, bool(view.last_message)) for view in views}
        found.pop("world")
        return found

    assert shown("bob") == {ROOM: (1, True)}
    assert shown("cat") == {ROOM: (0, False)}, "the last message is of the time before"
    view = service.get("bob", ROOM)
    assert view.group == world.groups[ROOM]
    with pytest.raises(NotMemberError):
        service.get("dan", ROOM)


def places(world: World, user: str) -> list[tuple[str, int]]:
    told = test_receipts.told(world, f"conn-{user}")
    return [(frame["user_id"], frame["seq"]) for frame in told]


@pytest.mark.req("APP-13")
def test_in_a_small_group_every_other_member_learns_who_has_read() -> None:
    world = world_of("ann", "bob", "cat")
    send(world, 1)

    test_receipts.service(world).notify(
        [test_receipts.receipt(user, 1, conversation_id=ROOM) for user in ("bob", "cat")]
    )

    assert places(world, "ann") == [("bob", 1), ("cat", 1)]
    assert places(world, "bob") == [("cat", 1)]


@pytest.mark.req("APP-13")
def test_in_a_larger_group_each_sender_gets_one_receipt_a_batch() -> None:
    users = [f"user{number}" for number in range(SMALL)]
    world = world_of("ann", "bob", *users)
    send(world, 1, 2)
    send(world, 3, sender="bob")
    batch = [
        test_receipts.receipt(user, seq, conversation_id=ROOM)
        for user in users
        for seq in (1, 2, 3)
    ]

    test_receipts.service(world).notify(batch)

    assert places(world, "ann") == [("user0", 2)]
    assert places(world, "bob") == [("user0", 3)]
    assert {len(places(world, user)) for user in users} == {0}


def test_system_lines_are_unread_for_everybody_but_who_caused_them() -> None:
    parts = Groups()
    grouped(parts.world, ROOM, "ann", "bob")

    parts.groups.update(CTX, "ann", ROOM, {"name": "Coffee"})
    ((_, args),) = parts.submitted
    for offset in range(2):  # handed on twice
        line = record(offset, 0, room=ROOM)
        body = type(line)(
            conversation_id=ROOM,
            type=line.type,
            sender_id=args["sender_id"],
            messages=args["messages"],
            source=line.source,
            offset=offset,
        )
        writer(parts.world).deliver([body])

    (stored,) = parts.world.log(ROOM)
    assert json.loads(stored.text)["type"] == "system"
    assert [unread_of(parts.world, user, ROOM) for user in ("ann", "bob")] == [0, 1]


STEPS = st.one_of(
    st.tuples(
        st.sampled_from(["send", "leave", "join"]), st.sampled_from(["ann", "bob"]), st.just(0)
    ),
    st.tuples(
        st.sampled_from(["read", "delivered"]), st.sampled_from(["ann", "bob"]), st.integers(0, 15)
    ),
)


@pytest.mark.req("IM-5", "APP-13")
@settings(max_examples=200, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_unread_is_always_what_a_naive_count_says(steps: Sequence[tuple[str, str, int]]) -> None:
    parts = Groups()
    world = parts.world
    grouped(world, ROOM, "owner", "ann", "bob")
    senders: list[str] = []
    read = {"ann": 0, "bob": 0}

    for action, user, seq in steps:
        if action == "send":
            writer(world).deliver([record(len(senders), len(senders), sender=user, room=ROOM)])
            senders.append(user)
        elif action == "leave":
            parts.members.leave(CTX, user, ROOM)
            read.pop(user, None)
        elif action == "join":
            parts.invitations.join(CTX, user, ROOM, "")
            read.setdefault(user, len(senders))
        elif user in read:
            test_acks.service(world).ack(Context(), user, ROOM, seq, AckStatus(action))
            if action == "read":
                read[user] = max(read[user], min(seq, len(senders)))

        for who, after in read.items():
            naive = sum(sender != who for sender in senders[after:])
            assert unread_of(world, who, ROOM) == naive
