from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.logic.large_groups import (
    CHUNK,
    MAX_ATTEMPTS,
    MAX_PUSHED,
    NOTIFY_ABOVE,
    LargeGroupService,
    PushChunk,
    chunks_of,
)
from chalicelib.models import ConversationMember
from tests.fakes import FakeConnections, FakePush, World
from tests.fakes_changes import reader
from tests.fakes_groups import audiences, grouped
from tests.unit.test_delivery import received, record, writer
from tests.unit.test_receivers import placed, receivers

pytestmark = pytest.mark.req("APP-15", "IM-11")
ROOM = "g-1"


class Desk:
    """A large group whose chunks are kept until somebody pushes them."""

    def __init__(self, *users: str) -> None:
        self.world = World()
        self.later: list[PushChunk] = []
        for user in users:
            self.world.user(user, f"conn-{user}")
        grouped(self.world, ROOM, *users, large=True)

    def send(self, *numbers: int) -> None:
        writer(self.world).deliver([record(numbers[0], *numbers, sender="ann", room=ROOM)])

    def push(self, chunks: Iterable[PushChunk] | None = None) -> None:
        service = LargeGroupService(
            audiences=audiences(self.world),
            reader=reader(self.world),
            connections=FakeConnections(self.world),
            push=FakePush(self.world),
            bury=receivers(self.world).bury,
            push_later=self.later.append,
        )
        service.push(list(self.world.chunks if chunks is None else chunks))

    def got(self, user: str) -> list[int]:
        return [seq for seq, _ in received(self.world, f"conn-{user}")]

    def frames(self, user: str) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.world.received[f"conn-{user}"]]


def test_every_member_belongs_to_one_chunk_and_gets_everything_once() -> None:
    users = ["ann", *(f"user{number}" for number in range(2 * CHUNK))]
    desk = Desk(*users)
    for user in users[NOTIFY_ABOVE // 2 :]:
        desk.world.users[user]["live"].clear()

    desk.send(1, 2)

    assert [(one.number, one.chunks) for one in desk.world.chunks] == [(0, 3), (1, 3), (2, 3)]
    assert desk.world.received == {}
    for chunk in desk.world.chunks:
        desk.push([chunk])
    online = users[: NOTIFY_ABOVE // 2]
    assert {tuple(desk.got(user)) for user in online} == {(1, 2)}
    assert desk.world.pointers == {}


def test_chunks_of_a_batch_are_pushed_together() -> None:
    desk = Desk("ann", "bob")
    desk.send(1)
    desk.send(2, 3)

    desk.push()

    assert desk.got("bob") == [1, 2, 3]
    assert len(desk.frames("bob")) == 1


def test_who_comes_and_goes_between_the_commit_and_the_push_changes_nothing_for_others() -> None:
    desk = Desk("ann", "bob", "cat")
    desk.send(1, 2)
    desk.world.user("dan", "conn-dan")
    row = ConversationMember(conversation_id=ROOM, user_id="dan", joined_seq=1)
    desk.world.members[ROOM, "dan"] = row
    del desk.world.members[ROOM, "cat"]

    desk.push()

    assert [desk.got(user) for user in ("bob", "cat", "dan")] == [[1, 2], [], [2]]


def test_many_who_are_online_are_told_once_and_fetch() -> None:
    users = ["ann", *(f"user{number}" for number in range(NOTIFY_ABOVE))]
    desk = Desk(*users)
    late = replace(desk.world.members[ROOM, "user7"], joined_seq=3)
    desk.world.members[ROOM, "user7"] = late
    desk.send(1, 2)
    desk.send(3)

    desk.push([replace(one, number=0, chunks=1) for one in desk.world.chunks])

    notify = {"type": "notify", "conversation_id": ROOM, "last_seq": 3}
    assert Counter(len(desk.frames(user)) for user in users) == {1: NOTIFY_ABOVE, 0: 1}
    assert desk.frames("ann") == [notify]
    assert desk.frames("user7") == []


def test_a_chunk_that_is_far_behind_does_not_push_a_whole_history() -> None:
    desk = Desk("ann", "bob")
    desk.send(*range(MAX_PUSHED + 1))

    desk.push()

    assert [frame["type"] for frame in desk.frames("bob")] == ["notify"]


def test_nobody_online_costs_no_read_of_the_log() -> None:
    desk = Desk("ann", "bob")
    desk.send(1)
    desk.world.segments.clear()
    for user in ("ann", "bob"):
        desk.world.users[user]["live"].clear()

    desk.push()

    assert desk.world.received == {}


@pytest.mark.req("APP-11")
def test_a_connection_that_is_gone_is_removed_and_no_other() -> None:
    desk = Desk("ann", "bob")
    desk.world.connect("bob", "stale")
    desk.world.gone.add("stale")
    desk.send(1)

    desk.push()

    assert list(desk.world.users["bob"]["live"]) == ["conn-bob"]
    assert desk.got("bob") == [1]
    assert desk.later == []


def test_only_who_did_not_get_it_gets_it_later_and_not_without_end() -> None:
    desk = Desk("ann", "bob", "cat")
    desk.send(1)
    desk.world.users["cat"]["live"].clear()
    desk.world.push_is_away = True

    desk.push()
    (again,) = desk.later
    for _ in range(MAX_ATTEMPTS):
        desk.push([desk.later[-1]])
    desk.world.push_is_away = False
    desk.world.connect("cat", "conn-cat")
    desk.push([again])

    assert (sorted(again.user_ids), again.attempt) == (["ann", "bob"], 1)
    assert len(desk.later) == MAX_ATTEMPTS - 1
    assert [desk.got(user) for user in ("bob", "cat")] == [[1], []]


def test_chunks_name_messages_and_do_not_carry_them() -> None:
    chunks = chunks_of(placed(4, 5, 6, room=ROOM), CHUNK + 1)

    assert [(one.first_seq, one.last_seq, one.number, one.chunks) for one in chunks] == [
        (4, 6, 0, 2),
        (4, 6, 1, 2),
    ]
    assert chunks_of(placed(1, room=ROOM), 0) == []


def test_a_changed_message_goes_to_who_may_read_it_once_for_all_its_changes() -> None:
    desk = Desk("ann", "bob", "cat")
    desk.send(1, 2, 3)
    late = replace(desk.world.members[ROOM, "cat"], joined_seq=2)
    desk.world.members[ROOM, "cat"] = late
    changed = [chunks_of(placed(seq, room=ROOM), 3, updated=True) for seq in (2, 3, 2)]

    desk.push([one for chunks in changed for one in chunks])

    assert [frame["message"]["seq"] for frame in desk.frames("bob")] == [2, 3]
    assert [frame["message"]["content"] for frame in desk.frames("cat")] == ["3"]
    assert {frame["type"] for frame in desk.frames("bob")} == {"updated"}


def test_a_changed_message_comes_as_it_is_even_where_many_are_online() -> None:
    users = ["ann", *(f"user{number}" for number in range(NOTIFY_ABOVE))]
    desk = Desk(*users)
    desk.send(1)

    desk.push(chunks_of(placed(1, room=ROOM), 1, updated=True))

    assert Counter(frame["type"] for user in users for frame in desk.frames(user)) == {
        "updated": NOTIFY_ABOVE + 1
    }


def test_new_messages_and_a_change_in_one_batch_stay_apart() -> None:
    desk = Desk("ann", "bob")
    desk.send(1, 2)

    desk.push([*desk.world.chunks, *chunks_of(placed(1, room=ROOM), 2, updated=True)])

    assert [frame["type"] for frame in desk.frames("bob")] == ["messages", "updated"]
