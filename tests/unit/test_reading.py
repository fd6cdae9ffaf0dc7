from __future__ import annotations

import json

import pytest

from chalicelib.errors import MessageNotFoundError, NotMemberError
from chalicelib.logic.reading import MessageReader, ReadableMessages
from chalicelib.models import Changed, OwnMarks
from tests.fakes import FakeLog, World
from tests.fakes_changes import FakeChanges, readable
from tests.fakes_groups import grouped
from tests.unit.test_delivery import ROOM, record, world_of_two, writer


class Read:
    """A conversation of two segments with two messages each."""

    def __init__(self) -> None:
        self.world = world_of_two()
        for offset in range(2):
            writer(self.world).deliver([record(offset, 2 * offset, 2 * offset + 1)])
        self.changes = FakeChanges(self.world)
        self.reader = MessageReader(FakeLog(self.world), self.changes, self.world.clock)

    def change(self, seq: int, **fields: object) -> None:
        self.changes.put(Changed(conversation_id=ROOM, seq=seq, **fields))  # type: ignore[arg-type]
        segment = FakeLog(self.world).containing(ROOM, seq)
        assert segment is not None
        FakeLog(self.world).mark_changed(segment)

    def contents(self, user: str = "ann") -> list[str]:
        return [json.loads(one.text)["content"] for one in self.reader.after(user, ROOM, 0, 10)]


def test_a_page_without_changes_asks_for_none() -> None:
    read = Read()

    assert read.contents() == ["0", "1", "2", "3"]
    assert read.changes.reads == 0


def test_an_edit_is_seen_when_the_page_is_read_again() -> None:
    read = Read()
    read.change(2, content="new", edited_at="now")

    assert read.contents() == ["0", "new", "2", "3"]
    assert read.changes.reads == 1
    newest = read.reader.before("bob", ROOM, 3, 1)
    assert json.loads(newest[0].text)["edited_at"] == "now"
    assert [one.seq for one in read.reader.before("bob", ROOM, None, 2)] == [4, 3]


def test_what_one_user_has_hidden_the_other_sees() -> None:
    read = Read()
    read.changes.hide(ROOM, "bob", 3)
    read.change(4)

    assert read.contents("ann") == ["0", "1", "2", "3"]
    assert read.contents("bob") == ["0", "1", "", "3"]


def test_messages_of_several_conversations_are_looked_up_by_conversation() -> None:
    read = Read()
    read.change(1, content="new")
    writer(read.world).deliver([record(9, 9, room="world")])
    found = [*read.reader.after("ann", "world", 0, 5), *read.world.log(ROOM)]

    seen = read.reader.seen_by("ann", found)

    assert [(one.conversation_id, one.seq) for one in seen] == [
        ("world", 1),
        *((ROOM, seq) for seq in range(1, 5)),
    ]
    assert json.loads(seen[1].text)["content"] == "new"


def test_single_messages_are_found_by_their_numbers() -> None:
    read = Read()

    assert sorted(read.reader.at("ann", ROOM, (4, 2, 9))) == [2, 4]
    assert readable(read.world).one("bob", ROOM, 2)["content"] == "1"
    with pytest.raises(MessageNotFoundError):
        readable(read.world).one("bob", ROOM, 5)


def test_nobody_reads_a_message_of_the_time_before_they_joined() -> None:
    world = World()
    grouped(world, "g-1", "ann", "bob")
    writer(world).deliver([record(0, 1, 2, room="g-1")])

    class Joined:
        def beginning(self, _user_id: str, _conversation_id: str) -> int:
            return 1

    late = ReadableMessages(
        Joined(), MessageReader(FakeLog(world), FakeChanges(world), world.clock)
    )

    assert sorted(late.some("cat", "g-1", (1, 2))) == [2]
    with pytest.raises(NotMemberError):
        readable(world).one("cat", "g-1", 2)


def test_marks_of_a_user_alone_are_enough() -> None:
    read = Read()
    read.world.own_marks[ROOM, "ann", 1] = OwnMarks(
        conversation_id=ROOM, user_id="ann", seq=1, hidden=True
    )
    read.change(2)

    assert read.contents("ann")[0] == ""
