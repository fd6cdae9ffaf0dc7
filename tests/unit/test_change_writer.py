from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.change_writer import ChangeWriter
from chalicelib.models import Change, ChangeKind, Placed, direct_id
from tests.fakes import CrashError, FakeHeads, FakeLog, World
from tests.fakes_changes import FakeChanges, mentions, reader
from tests.unit.test_delivery import record, world_of_two, writer
from tests.unit.test_overlay import change

ROOM = direct_id("ann", "bob")


class Changing:
    """A conversation of two messages, and who changes them."""

    def __init__(self) -> None:
        self.world = world_of_two()
        writer(self.world).deliver([record(0, 1, 2)])
        self.pushed: list[Placed] = []

    def apply(self, *changes: Any) -> list[Change]:
        writer = ChangeWriter(
            log=FakeLog(self.world),
            heads=FakeHeads(self.world),
            changes=FakeChanges(self.world),
            forget_derived=mentions(self.world).forget,
            push=self.pushed.extend,
            clock=self.world.clock,
        )
        return writer.apply(changes)

    def seen(self, seq: int = 1) -> Any:
        return json.loads(reader(self.world).at("ann", ROOM, (seq,))[seq].text)

    def told(self) -> list[Any]:
        return [json.loads(one.text) for one in self.pushed]


def edit(content: str, **fields: Any) -> Any:
    return change(content=content, **fields)


RECALL = change(ChangeKind.RECALL)
EXPIRE = change(ChangeKind.EXPIRE)
REACT = change(ChangeKind.REACT, emoji="👍")


def test_a_batch_is_carried_out_in_order_and_told_once() -> None:
    on = Changing()

    on.apply(edit("a", id="1"), edit("b", id="2"), REACT)

    assert on.seen()["content"] == "b"
    assert on.told() == [on.seen()]
    assert on.seen(2)["content"] == "2"


def test_the_log_and_the_head_lead_to_a_change() -> None:
    on = Changing()

    on.apply(edit("a"))

    assert [one.changed for one in on.world.segments[ROOM].values()] == [True]
    assert on.world.heads[ROOM].changed_seq == 1


def test_a_change_that_comes_again_changes_nothing_and_is_told_again() -> None:
    on = Changing()
    on.apply(REACT)

    on.apply(REACT)

    assert on.seen()["reactions"]["👍"]["count"] == 1
    assert len(on.told()) == 2
    assert on.told()[0] == on.told()[1]


@pytest.mark.parametrize("blank", [RECALL, EXPIRE])
def test_the_content_goes_from_everywhere(blank: Any) -> None:
    on = Changing()
    last = {"conversation_id": ROOM, "seq": 2}
    on.apply(type(blank)(**{**as_dict(edit("secret")), **last}))

    on.apply(type(blank)(**{**as_dict(blank), **last}))

    assert on.seen(2)["content"] == ""
    assert "secret" not in repr((on.world.segments, on.world.changes, on.world.heads))
    assert on.world.heads[ROOM].last == ""


def as_dict(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def test_what_is_recalled_stays_so() -> None:
    on = Changing()

    on.apply(RECALL)
    on.apply(edit("again"), REACT)
    on.apply(RECALL, edit("and again"))

    assert (on.seen()["content"], on.seen()["recalled"]) == ("", True)
    assert "reactions" not in on.seen()
    assert on.world.changes == {}
    assert all(one["recalled"] for one in on.told())


def test_that_a_message_expired_is_told_to_nobody() -> None:
    on = Changing()

    on.apply(EXPIRE)
    on.apply(RECALL)

    assert "expires_at" in on.seen()
    assert [one["content"] for one in on.told()] == [""]


def test_a_message_that_is_nowhere_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    on = Changing()

    on.apply(change(ChangeKind.EDIT, content="x"), type(REACT)(**{**as_dict(REACT), "seq": 9}))

    assert [one["seq"] for one in on.told()] == [1]
    assert caplog.records[0].message == "no such message"


STEPS = 40


@pytest.mark.parametrize("number", range(STEPS))
def test_dying_at_any_step_and_beginning_again_ends_the_same(number: int) -> None:
    batch = (edit("a"), REACT, type(RECALL)(**{**as_dict(RECALL), "seq": 2}))
    on, whole = Changing(), Changing()
    whole.apply(*batch)
    left = [number]

    def step(_name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise CrashError

    on.world.step = step
    try:
        on.apply(*batch)
    except CrashError:
        on.world.step = lambda _name: None
        on.apply(*batch)

    assert [on.seen(1), on.seen(2)] == [whole.seen(1), whole.seen(2)]
    assert on.world.heads[ROOM] == whole.world.heads[ROOM]


def test_a_lost_race_is_tried_again_and_given_up_in_the_end() -> None:
    on = Changing()
    others = iter(range(2))

    def step(name: str) -> None:
        if name == "before change" and next(others, None) is not None:
            on.world.step = lambda _name: None
            changes = FakeChanges(on.world)
            changes.put(changes.get(ROOM, 1, "")[0])
            on.world.step = step

    on.world.step = step
    on.apply(edit("mine"))

    assert on.seen()["content"] == "mine"
    on.world.step = lambda _name: None
    refusing = FakeChanges(on.world)
    refusing.put = lambda *_: False  # type: ignore[method-assign]
    writer = ChangeWriter(
        log=FakeLog(on.world),
        heads=FakeHeads(on.world),
        changes=refusing,
        forget_derived=mentions(on.world).forget,
        push=on.pushed.extend,
        clock=on.world.clock,
    )
    with pytest.raises(UnavailableError):
        writer.apply([edit("never", id="9")])


def test_blanking_reads_again_when_somebody_blanked_before() -> None:
    on = Changing()
    other: list[World] = [on.world]

    def step(name: str) -> None:
        if name == "before blank" and other:
            world = other.pop()
            segment = FakeLog(world).containing(ROOM, 2)
            assert segment is not None
            FakeLog(world).blank(segment, (2,), {"recalled": True})

    on.world.step = step
    on.apply(RECALL)

    assert [on.seen(seq)["content"] for seq in (1, 2)] == ["", ""]


def test_what_was_carried_out_is_said_and_what_came_too_late_is_not() -> None:
    on = Changing()

    assert on.apply(edit("a"), REACT) == [edit("a"), REACT]
    assert on.apply(edit("a")) == [edit("a")]  # again
    assert on.apply(edit("b"), RECALL) == [RECALL]
    assert on.apply(RECALL) == [RECALL]
    assert on.apply(edit("c")) == []
    assert on.apply(replace(EXPIRE, seq=2)) == []
    assert on.apply(replace(RECALL, seq=99)) == []
