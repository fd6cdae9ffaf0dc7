from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from chalicelib.logic.policies import RetentionPolicy, parse_retention
from chalicelib.logic.retention import RetentionService, Swept
from chalicelib.models import (
    WORLD,
    Changed,
    ConversationType,
    Head,
    Placed,
    Segment,
    rfc3339,
    tombstone,
)
from tests.fakes import CrashError, FakeHeads, FakeLog, World
from tests.fakes_changes import FakeChanges, mentions

DAY = 86_400.0
ROOM = "d-ann-bob"
POLICY = RetentionPolicy(messages_days=30)


class FakeProgress:
    def __init__(self) -> None:
        self.at: str | None = None
        self.moves: list[str | None] = []

    def position(self, name: str) -> str | None:
        return self.at

    def move(self, name: str, old: str | None, new: str | None) -> bool:
        if old != self.at:
            return False
        self.at = new
        self.moves.append(new)
        return True


@dataclass
class Archive:
    """A world with old messages, and the service over it."""

    world: World = field(default_factory=World)
    progress: FakeProgress = field(default_factory=FakeProgress)
    policy: RetentionPolicy = POLICY
    ticks: float = 0.0  # a look at the clock takes so long

    def service(self) -> RetentionService:
        return RetentionService(
            heads=FakeHeads(self.world),
            log=FakeLog(self.world),
            forget=FakeChanges(self.world).forget,
            forget_derived=mentions(self.world).forget,
            progress=self.progress,
            policy=lambda: self.policy,
            clock=self.clock,
        )

    def clock(self) -> float:
        self.world.now += self.ticks
        return self.world.now

    def sweep(self, seconds: float = 60.0) -> Swept:
        return self.service().sweep(self.world.now + seconds)

    def room(self, *ages: list[float], room: str = ROOM) -> None:
        """A conversation of segments whose messages are so many days old."""
        seq = 1
        for segment in ages:
            messages = []
            for age in segment:
                body = {
                    "id": f"m{seq}",
                    "conversation_id": room,
                    "sender_id": "ann",
                    "seq": seq,
                    "type": "text",
                    "content": f"secret {seq}",
                    "created_at": rfc3339(self.world.now - age * DAY),
                    "attachment": {"id": "a1"},
                }
                messages.append(Placed(room, seq, "ann", f"m{seq}", json.dumps(body)))
                seq += 1
            one = Segment(
                conversation_id=room,
                messages=tuple(messages),
                source="TASKS-0",
                first_offset=1,
                last_offset=1,
            )
            self.world.segments[room][one.first_seq] = one
        self.world.heads[room] = Head(
            id=room,
            type=ConversationType.DIRECT,
            last_seq=seq - 1,
            last=messages[-1].text,
            created_at=json.loads(self.world.log(room)[0].text)["created_at"],
        )

    def kept(self, room: str = ROOM) -> list[int]:
        """The messages that have their content."""
        bodies = [json.loads(one.text) for one in self.world.log(room)]
        assert [one["seq"] for one in bodies] == list(range(1, len(bodies) + 1))
        assert all(one.get("expires_at") or one["content"] for one in bodies)
        return [one["seq"] for one in bodies if one["content"]]


@pytest.fixture
def archive() -> Archive:
    return Archive()


def test_what_is_too_old_loses_its_content_and_keeps_its_number(archive: Archive) -> None:
    archive.room([90, 60], [40, 31], [30.5, 29], [1])

    assert archive.sweep() == Swept(4)

    assert archive.kept() == [6, 7]
    assert json.loads(archive.world.log(ROOM)[0].text) == {
        "id": "m1",
        "conversation_id": ROOM,
        "sender_id": "ann",
        "seq": 1,
        "type": "text",
        "content": "",
        "created_at": rfc3339(archive.world.now - 90 * DAY),
        "expires_at": rfc3339(archive.world.now),
    }


def test_by_default_everything_is_kept_and_nothing_is_read(archive: Archive) -> None:
    archive.room([9000])
    archive.policy = RetentionPolicy()

    assert archive.sweep() == Swept()

    assert archive.kept() == [1]
    assert archive.progress.moves == []


def test_the_world_room_has_a_time_of_its_own(archive: Archive) -> None:
    archive.room([90], [10], room=WORLD)
    archive.room([90], [10])
    archive.policy = RetentionPolicy(world_days=7)

    archive.sweep()

    assert (archive.kept(WORLD), archive.kept()) == ([], [1, 2])


def test_the_last_message_goes_from_the_head_too(archive: Archive) -> None:
    archive.room([90], [60])
    archive.room([90], [1], room="d-ann-cat")

    archive.sweep()

    assert archive.world.heads[ROOM].last == ""
    assert "secret" in archive.world.heads["d-ann-cat"].last


def test_a_conversation_is_not_read_again_before_something_in_it_is_due(archive: Archive) -> None:
    archive.room([90], [20])
    archive.room([90], room="d-ann-cat")
    assert archive.sweep().segments == 3

    archive.world.now += 9 * DAY
    assert archive.sweep() == Swept(0)
    archive.world.now += 2 * DAY
    assert archive.sweep() == Swept(1)
    assert archive.kept() == []


def test_what_comes_later_expires_in_its_turn(archive: Archive) -> None:
    archive.room([90])
    archive.sweep()
    body = {**json.loads(archive.world.log(ROOM)[0].text), "seq": 2, "content": "new"}
    del body["expires_at"]
    body["created_at"] = rfc3339(archive.world.now)
    one = Placed(ROOM, 2, "ann", "m2", json.dumps(body))
    stored = archive.world.segments[ROOM]
    stored[2] = Segment(
        conversation_id=ROOM, messages=(one,), source="TASKS-0", first_offset=2, last_offset=2
    )

    archive.world.now += 29 * DAY
    archive.sweep()
    assert archive.kept() == [2]
    archive.world.now += 2 * DAY
    archive.sweep()
    assert archive.kept() == []


def test_a_shorter_time_takes_effect_on_what_is_there(archive: Archive) -> None:
    archive.room([90], [20], [2])
    archive.sweep()

    archive.policy = RetentionPolicy(messages_days=10)
    archive.sweep()

    assert archive.kept() == [3]


def test_more_segments_and_conversations_than_a_page_are_gone_through(archive: Archive) -> None:
    archive.room(*[[90] for _ in range(45)], [1])
    for number in range(230):
        archive.room([90], room=f"d-x-{number:03d}")

    assert archive.sweep().finished

    assert archive.kept() == [46]
    assert all(archive.kept(f"d-x-{number:03d}") == [] for number in range(230))
    assert len(archive.progress.moves) == 3
    assert archive.progress.moves[-1] is None


def test_a_run_stops_in_time_and_the_next_goes_on(archive: Archive) -> None:
    archive.ticks = 0.01
    for number in range(230):
        archive.room([90], room=f"d-x-{number:03d}")

    runs = 0
    while not archive.sweep(2.0).finished:
        runs += 1
        assert runs < 50

    assert runs > 1
    assert all(archive.kept(f"d-x-{number:03d}") == [] for number in range(230))


def test_of_two_runs_at_once_one_stops(archive: Archive) -> None:
    archive.room([90])
    archive.world.step = lambda name: setattr(archive.progress, "at", "elsewhere")

    assert archive.sweep() == Swept(1, finished=False)


def test_a_run_that_dies_anywhere_is_finished_by_the_next(archive: Archive) -> None:
    points = ("before blank", "after blank", "before mark")
    for point in points:
        fresh = Archive()
        fresh.room([90], [60, 3], [2])
        fresh.world.step = dying_at(point)
        with pytest.raises(CrashError):
            fresh.sweep()

        fresh.world.step = lambda _name: None
        fresh.sweep()

        assert fresh.kept() == [3, 4], point


def dying_at(point: str) -> Callable[[str], None]:
    def step(name: str) -> None:
        if name == point:
            raise CrashError

    return step


def test_a_segment_that_was_changed_meanwhile_is_read_again(archive: Archive) -> None:
    archive.room([90, 90], [90])
    stored = archive.world.segments[ROOM]
    log = FakeLog(archive.world)
    calls = iter([True])

    def recall_once(name: str) -> None:
        if name == "before blank" and next(calls, False):
            assert log.blank(stored[1], {2}, {"recalled": True})

    archive.world.step = recall_once
    archive.sweep()

    bodies = [json.loads(one.text) for one in archive.world.log(ROOM)]
    assert ["expires_at" in one for one in bodies] == [True, False, True]
    assert bodies[1]["recalled"]
    assert stored[1].revision == 2


def test_what_a_message_was_edited_to_goes_with_it(archive: Archive) -> None:
    archive.room([90, 1])
    changes = FakeChanges(archive.world)
    for seq in (1, 2):
        changes.put(Changed(conversation_id=ROOM, seq=seq, content="edited"))
    segment = FakeLog(archive.world).containing(ROOM, 1)
    assert segment is not None
    FakeLog(archive.world).mark_changed(segment)

    archive.sweep()

    assert sorted(seq for _, seq in archive.world.changes) == [2]


def test_a_tombstone_stays_what_it_is() -> None:
    archive = Archive()
    archive.room([90])
    once = tombstone(archive.world.log(ROOM)[0], {"recalled": True})

    assert tombstone(once, {"expires_at": "now"}) == once


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "expected a JSON object"),
        ('{"days": 1}', "unknown: days"),
        ('{"messages_days": -1}', "messages_days: expected a whole number"),
        ('{"world_days": true}', "world_days: expected a whole number"),
        ('{"world_days": 36501}', "0 to 36500"),
    ],
)
def test_a_wrong_policy_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_retention(text)


def test_a_policy_says_what_is_kept_how_long() -> None:
    assert parse_retention('{"world_days": 7}') == RetentionPolicy(world_days=7)
