"""What becomes of messages, on the fake and on a real store."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chalicelib.models import (
    Changed,
    ConversationType,
    Head,
    OwnReaction,
    Pin,
    Reaction,
    Segment,
)
from chalicelib.repo.changes import ChangeRepository
from chalicelib.repo.conversations import ConversationRepository
from chalicelib.repo.messages import MessageRepository
from tests.contract.conftest import Connect
from tests.contract.test_messages_repo import EXPIRED
from tests.fakes import World
from tests.fakes_changes import FakeChanges
from tests.unit.test_overlay import placed as message

pytestmark = pytest.mark.req("IM-12")
EDITED = {"content": "new", "edited_at": "2026-11-21T08:00:00.000Z", "edit_id": "e1"}
NOW = "2026-11-21T08:00:00.000Z"


@pytest.fixture(params=["fake", "endpoint"])
def changes(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeChanges(World())
    return ChangeRepository(request.getfixturevalue("tables"))


@pytest.fixture
def room() -> str:
    return f"g-{uuid4().hex}"


def test_what_is_put_is_found_by_number_and_between_numbers(changes: Any, room: str) -> None:
    reactions = {"👍": Reaction(2, ("ann", "bob")), "+1": Reaction(1, ("ann",))}
    for seq in (1, 3, 9):
        new = Changed(conversation_id=room, seq=seq, reactions=reactions, **EDITED)
        assert changes.put(new) is True

    states, marks = changes.between(room, "ann", 2, 9)
    state, own = changes.get(room, 3, "ann")

    assert sorted(states) == [3, 9]
    assert states[3] == state
    assert (state.version, state.content, state.reactions) == (1, "new", reactions)
    assert (state.edited_at, state.edit_id) == (EDITED["edited_at"], "e1")
    assert (marks, own.version, own.reactions, own.hidden) == ({}, 0, {}, False)
    assert changes.get(room, 2, "ann")[0] == Changed(conversation_id=room, seq=2)


def test_the_second_of_two_writers_must_read_again(changes: Any, room: str) -> None:
    first, _ = changes.get(room, 1, "ann")

    assert [changes.put(first), changes.put(first)] == [True, False]
    assert changes.put(changes.get(room, 1, "ann")[0]) is True


def test_message_and_user_are_written_together_or_not_at_all(changes: Any, room: str) -> None:
    own = {"👍": OwnReaction(NOW, "r1", stands=True)}

    def put(state: Any, marks: Any) -> bool:
        new = type(state)(
            conversation_id=room,
            seq=1,
            version=state.version,
            reactions={"👍": Reaction(1, ("ann",))},
        )
        mine = type(marks)(
            conversation_id=room, seq=1, user_id="ann", version=marks.version, reactions=own
        )
        done: bool = changes.put(new, mine)
        return done

    before = changes.get(room, 1, "ann")
    assert put(*before) is True
    state, marks = changes.get(room, 1, "ann")
    assert (state.reactions["👍"].count, marks.reactions) == (1, own)
    assert put(*before) is False
    assert put(state, before[1]) is False, "the user's row was written since"
    assert put(before[0], marks) is False
    assert changes.get(room, 1, "ann") == (state, marks)
    assert put(state, marks) is True
    assert changes.between(room, "ann", 1, 1)[1][1].version == 2


def test_hiding_stays_beside_reactions(changes: Any, room: str) -> None:
    changes.hide(room, "ann", 1)
    state, marks = changes.get(room, 1, "ann")
    assert changes.put(state, marks) is True
    changes.hide(room, "ann", 2)

    found = changes.between(room, "ann", 1, 9)[1]

    assert [found[seq].hidden for seq in (1, 2)] == [True, True]
    assert changes.between(room, "bob", 1, 9)[1] == {}


def test_what_is_forgotten_is_gone(changes: Any, room: str) -> None:
    for seq in (1, 2):
        changes.put(Changed(conversation_id=room, seq=seq, **EDITED))

    changes.forget(room, (1, 7))

    assert sorted(changes.between(room, "ann", 1, 9)[0]) == [2]


def test_pins_are_listed_the_newest_message_first(changes: Any, room: str) -> None:
    pins = [Pin(seq=seq, pinned_by="ann", pinned_at=NOW) for seq in (2, 11, 5)]

    assert [changes.pin(room, one) for one in (*pins, pins[0])] == [True, True, True, False]
    assert [one.seq for one in changes.pins(room)] == [11, 5, 2]
    assert changes.pins(room)[0] == pins[1]
    assert [changes.unpin(room, 5), changes.unpin(room, 5)] == [True, False]
    assert [one.seq for one in changes.pins(room)] == [11, 2]


def segment(room: str, *seqs: int) -> Segment:
    messages = tuple(
        type(message())(room, seq, "ann", f"m{seq}", message(seq=seq, id=f"m{seq}").text)
        for seq in seqs
    )
    return Segment(
        conversation_id=room, messages=messages, source="TASKS-0", first_offset=0, last_offset=0
    )


def test_a_segment_is_marked_once_and_blanked_all_the_same(connect: Connect, room: str) -> None:
    log = MessageRepository(connect())
    log.append([segment(room, 1, 2), segment(room, 3)])
    read = log.containing(room, 2)
    assert read is not None
    log.mark_changed(read)
    log.mark_changed(read)

    marked = log.containing(room, 1)

    assert marked is not None
    assert marked.changed
    assert [one.changed for one in log.after(room, 0, 9)] == [True, True, False]
    assert log.blank(read, (2,), EXPIRED), "the mark is no revision"
    after = log.containing(room, 1)
    assert after is not None
    assert (after.changed, after.revision) == (True, 1)


def test_single_messages_are_read_together(connect: Connect, room: str) -> None:
    log = MessageRepository(connect())
    log.append([segment(room, 1, 2)])
    log.append([segment(room, 3)])

    found = log.at(room, (3, 1, 9))

    assert {seq: one.id for seq, one in found.items()} == {1: "m1", 3: "m3"}
    assert log.at(room, ()) == {}


def test_a_head_knows_the_last_changed_message(connect: Connect, room: str) -> None:
    heads = ConversationRepository(connect())
    heads.mark_changed(room, 5)
    assert heads.get_conversations((room,)) == {}, "there is only the mark"
    (head,) = _advanced(heads, room, 7)
    heads.mark_changed(room, 3)
    heads.mark_changed(room, 6, blanked=True)
    kept = heads.get_conversations((room,))[room]
    heads.mark_changed(room, 7, blanked=True)

    assert (head.changed_seq, kept.changed_seq, kept.last) == (5, 6, "text")
    blanked = heads.get_conversations((room,))[room]
    assert (blanked.changed_seq, blanked.last, blanked.last_seq) == (7, "", 7)


def _advanced(heads: ConversationRepository, room: str, seq: int) -> list[Any]:
    heads.advance(
        [Head(id=room, type=ConversationType.GROUP, last_seq=seq, last="text", updated_at=NOW)]
    )
    return list(heads.get_conversations((room,)).values())
