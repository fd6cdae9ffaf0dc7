"""Changes as commands, and what is published of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from chalicelib.broker import decode
from chalicelib.context import Context
from chalicelib.logic.change_writer import ChangeWriter
from chalicelib.models import Change, ChangeKind
from chalicelib.task.commands_changes import register_changes
from chalicelib.task.outbox import Outbox
from tests.unit.broker_fakes import FakeDelays, Fixture


@pytest.fixture
def on() -> Fixture:
    return Fixture()


def change(kind: ChangeKind, room: str, change_id: str, **more: Any) -> Change:
    made = {"content": "", "emoji": "", "remove": False, **more}
    return Change(
        conversation_id=room, seq=3, kind=kind, user_id="ann", at="now", id=change_id, **made
    )


@pytest.mark.req("APP-19", "TASK-6")
def test_changes_are_published_when_they_are_carried_out(on: Fixture) -> None:
    edit = change(ChangeKind.EDIT, "g-1", "x1", content="secret")
    react = change(ChangeKind.REACT, "g-1", "x2", emoji="👍", remove=True)
    recall = change(ChangeKind.RECALL, "d-ann-bob", "x3")
    applied: list[Change] = []

    class Writer:
        def apply(self, changes: Sequence[Change]) -> list[Change]:
            applied.extend(changes)
            return [one for one in changes if one != late]

    late = change(ChangeKind.EDIT, "world", "x4")
    register_changes(on.broker, lambda: cast(ChangeWriter, Writer()))
    for trace, one in (("t1", edit), ("t2", react), ("t3", recall), ("t4", late)):
        Outbox(on.kafka, FakeDelays()).change(Context(trace_id=trace), one)
    on.broker.run("tasks", decode(on.taken()))

    assert applied == [edit, react, recall, late]
    told = [json.loads(one.value)["payload"] for one in on.kafka.sent]
    done = {"seq": 3, "user_id": "ann", "at": "now"}
    assert told == [
        {
            "conversation_id": "g-1",
            "conversation_type": "group",
            "changes": [
                {**done, "id": "x1", "kind": "edit"},
                {**done, "id": "x2", "kind": "react", "emoji": "👍", "remove": True},
            ],
        },
        {
            "conversation_id": "d-ann-bob",
            "conversation_type": "direct",
            "changes": [{**done, "id": "x3", "kind": "recall"}],
        },
    ]
    assert [one.key for one in on.kafka.sent] == [b"g-1", b"d-ann-bob"]


def test_nothing_is_published_where_nothing_was_carried_out(on: Fixture) -> None:
    class Writer:
        def apply(self, _changes: Sequence[Change]) -> list[Change]:
            return []

    register_changes(on.broker, lambda: cast(ChangeWriter, Writer()))
    Outbox(on.kafka, FakeDelays()).change(Context(), change(ChangeKind.EDIT, "g-1", "x1"))

    on.broker.run("tasks", decode(on.taken()))

    assert on.kafka.sent == []
