from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.export import (
    KEPT_SECONDS,
    LINK_SECONDS,
    STALLED_SECONDS,
    ExportService,
)
from chalicelib.logic.export_document import Position
from chalicelib.models import Export, ExportStatus
from tests.fakes_accounts import Clock
from tests.fakes_data import FakeExports, FakeFiles
from tests.fakes_relations import FakeNotices

CTX = Context()


class Pages:
    """A document of some texts, each of which is a step."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.read_times = 0

    def read(self, _user_id: str, position: Position | None = None) -> tuple[str, Position | None]:
        self.read_times += 1
        at = position[0] if position else 0
        following = (at + 1, None, False) if at + 1 < len(self.texts) else None
        return self.texts[at], following


class Desk:
    def __init__(self, *texts: str, part_bytes: int = 5) -> None:
        self.clock = Clock()
        self.exports = FakeExports()
        self.files = FakeFiles()
        self.pages = Pages(*texts)
        self.notices = FakeNotices()
        self.enqueued: list[tuple[str, str, int]] = []
        self.is_away = False
        ids = iter("abc")
        self.service = ExportService(
            exports=self.exports,
            files=lambda: self.files,
            document=self.pages,
            enqueue=self.enqueue,
            tell=self.notices.tell,
            clock=self.clock,
            new_id=lambda: next(ids),
            part_bytes=part_bytes,
        )

    def enqueue(self, _ctx: Context, user_id: str, export_id: str, step: int) -> None:
        if self.is_away:
            raise UnavailableError("away")
        self.enqueued.append((user_id, export_id, step))

    def carry_out(self) -> Export:
        """All steps; the export when it is finished."""
        export = self.service.ask(CTX, "ann")
        while not export.is_read:
            following = self.service.carry_out("ann", export.id, export.step)
            assert following is not None
            export = following
        done = self.service.finish("ann", export.id)
        assert done is not None
        return done


@pytest.fixture
def desk() -> Desk:
    return Desk("one,", "two,", "three")


@pytest.mark.req("TASK-6", "APP-2")
def test_the_steps_make_one_document(desk: Desk) -> None:
    done = desk.carry_out()

    assert done.status is ExportStatus.DONE
    assert desk.files.objects["ann/a.json"] == b"one,two,three"
    assert desk.exports.rows["ann"] == done


@pytest.mark.parametrize("part_bytes", [1, 4, 5, 8, 9, 1000])
def test_a_part_is_uploaded_when_there_is_enough_for_one(part_bytes: int) -> None:
    desk = Desk("one,", "two,", "three", part_bytes=part_bytes)
    sizes = []

    export = desk.service.ask(CTX, "ann")
    while not export.is_read:
        export = desk.service.carry_out("ann", export.id, export.step) or export
        sizes = [len(data) for _, data in sorted(desk.files.parts.items())]

    assert sum(sizes) == 13
    assert all(size >= part_bytes for size in sizes[:-1])


def test_asking_again_while_it_runs_begins_no_second_one(desk: Desk) -> None:
    first = desk.service.ask(CTX, "ann")

    again = desk.service.ask(CTX, "ann")

    assert (again.id, again.status) == (first.id, ExportStatus.RUNNING)
    assert desk.enqueued == [("ann", "a", 0)]


def test_asking_again_finds_one_that_stands_and_begins_another_after_a_day(desk: Desk) -> None:
    done = desk.carry_out()

    desk.clock.now += KEPT_SECONDS - 1
    assert desk.service.ask(CTX, "ann") == done
    desk.clock.now += 1
    assert desk.service.ask(CTX, "ann").id == "b"


def test_of_two_who_ask_at_once_one_begins(desk: Desk) -> None:
    theirs = Export(id="theirs", user_id="ann", started_at=1.0, changed_at=1.0, expires_at=2e9)
    desk.exports.before_replace = lambda: desk.exports.rows.setdefault("ann", theirs)

    found = desk.service.ask(CTX, "ann")

    assert found == theirs
    assert desk.enqueued == []


def test_one_that_could_not_be_enqueued_is_the_next_time(desk: Desk) -> None:
    desk.is_away = True
    with pytest.raises(UnavailableError):
        desk.service.ask(CTX, "ann")
    desk.is_away = False

    desk.service.ask(CTX, "ann")

    assert desk.enqueued == [("ann", "a", 0)]


def test_one_that_does_not_go_on_is_told_to(desk: Desk) -> None:
    desk.service.ask(CTX, "ann")
    desk.service.carry_out("ann", "a", 0)

    desk.clock.now += STALLED_SECONDS - 1
    desk.service.ask(CTX, "ann")
    desk.clock.now += 1
    desk.service.ask(CTX, "ann")

    assert desk.enqueued == [("ann", "a", 0), ("ann", "a", 1)]


@pytest.mark.req("TASK-6")
def test_a_step_that_comes_again_is_not_carried_out_again_but_goes_on(desk: Desk) -> None:
    desk.service.ask(CTX, "ann")
    first = desk.service.carry_out("ann", "a", 0)

    again = desk.service.carry_out("ann", "a", 0)

    assert again == first
    assert desk.pages.read_times == 1


def test_a_step_that_comes_late_is_left(desk: Desk) -> None:
    desk.service.ask(CTX, "ann")
    desk.service.carry_out("ann", "a", 0)
    desk.service.carry_out("ann", "a", 1)

    assert desk.service.carry_out("ann", "a", 0) is None


def test_a_step_of_another_export_or_of_none_is_left(desk: Desk) -> None:
    assert desk.service.carry_out("ann", "a", 0) is None
    desk.service.ask(CTX, "ann")

    assert desk.service.carry_out("ann", "other", 0) is None
    assert desk.service.finish("ann", "other") is None
    assert desk.pages.read_times == 0


def test_when_somebody_else_was_faster_their_step_counts(desk: Desk) -> None:
    desk.service.ask(CTX, "ann")
    running = desk.exports.rows["ann"]

    def overtaken() -> None:
        desk.exports.rows["ann"] = replace(running, step=1, upload_id="theirs")

    desk.files.step = overtaken

    assert desk.service.carry_out("ann", "a", 0) is None
    assert desk.exports.rows["ann"].upload_id == "theirs"


def test_when_all_is_read_a_step_that_comes_again_leads_to_the_end() -> None:
    desk = Desk("all")
    desk.service.ask(CTX, "ann")
    desk.service.carry_out("ann", "a", 0)

    again = [desk.service.carry_out("ann", "a", step) for step in (0, 1)]

    assert [one is not None and one.is_read for one in again] == [True, True]
    assert desk.pages.read_times == 1


def test_finishing_again_changes_nothing_and_tells_again(desk: Desk) -> None:
    done = desk.carry_out()

    assert desk.service.finish("ann", "a") == done
    assert desk.notices.events("ann") == ["data.exported"] * 2


def test_a_link_ends_after_an_hour_or_with_the_export(desk: Desk) -> None:
    done = desk.carry_out()

    url, until = desk.service.link(done)
    desk.clock.now += KEPT_SECONDS - 60
    late, last = desk.service.link(done)

    assert url == f"https://files.example/ann/a.json?as=lambchat-data.json&for={LINK_SECONDS}"
    assert until == done.changed_at + LINK_SECONDS
    assert late.endswith("for=60")
    assert last == done.expires_at


def test_a_position_survives_between_steps(desk: Desk) -> None:
    desk.service.ask(CTX, "ann")
    desk.service.carry_out("ann", "a", 0)

    assert json.loads(desk.exports.rows["ann"].position) == [1, None, False]
