"""The commands of groups, from what is enqueued to what is carried out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from chalicelib.broker import decode
from chalicelib.context import Context
from chalicelib.logic.large_groups import PushChunk
from chalicelib.task.commands_groups import register_groups
from chalicelib.task.outbox import Outbox
from tests.fakes_groups import grouped
from tests.unit.broker_fakes import Fixture, trigger_event
from tests.unit.test_group_changes import CTX, Groups

pytestmark = pytest.mark.req("TASK-6")
CHUNK = PushChunk(conversation_id="g-1", first_seq=1, last_seq=2, number=0, chunks=2, user_ids=[])


class Pushing:
    def __init__(self) -> None:
        self.chunks: list[PushChunk] = []

    def push(self, chunks: Sequence[PushChunk]) -> None:
        self.chunks += chunks


class Desk:
    """A broker with the tasks."""

    def __init__(self) -> None:
        self.on, self.pushing, self.groups = Fixture(), Pushing(), Groups()
        self.outbox = Outbox(self.on.kafka, self.on.delays)
        register_groups(
            self.on.broker,
            large_groups=lambda: self.pushing,  # type: ignore[arg-type, return-value]
            endings=lambda: self.groups.endings,
        )

    def run(self) -> list[str]:
        """Until nothing is left; the names of the tasks."""
        tasks: list[str] = []
        while sent := list(self.on.kafka.sent):
            self.on.kafka.sent.clear()
            tasks += [json.loads(one.value)["task"] for one in sent]
            self.on.broker.run("tasks", decode(trigger_event(*sent)))
        return tasks

    def release(self) -> None:
        """As the schedule does when everything is due."""
        self.on.now = max(due for due, _ in self.on.delays.kept.values())
        self.on.broker.release(Context())


def test_chunks_are_spread_over_the_partitions_and_carried_out_together() -> None:
    desk = Desk()
    other = PushChunk(
        conversation_id="g-1", first_seq=1, last_seq=2, number=1, chunks=2, user_ids=[]
    )

    desk.outbox.push_chunks([CHUNK, other])

    assert [one.key for one in desk.on.kafka.sent] == [b"g-1-0", b"g-1-1"]
    desk.run()
    assert desk.pushing.chunks == [CHUNK, other]


def test_a_chunk_that_failed_comes_later() -> None:
    desk = Desk()

    desk.outbox.push_chunk_later(CHUNK)

    assert desk.on.kafka.sent == []
    desk.release()
    assert desk.run() == ["push_chunk"]
    assert desk.pushing.chunks == [CHUNK]


def test_a_dismissed_group_is_cleared_away_a_day_later_step_by_step() -> None:
    desk = Desk()
    grouped(desk.groups.world, "g-1", "ann", *(f"user{number}" for number in range(150)))
    desk.groups.groups.dismiss(CTX, "ann", "g-1")
    assert desk.groups.cleared_later == ["g-1"]

    desk.outbox.clear_group_later("g-1")
    desk.release()

    assert desk.run() == ["clear_group"] * 3
    assert desk.groups.world.members == {}
