"""The workflows of a user's data, step by step; a process may die anywhere between."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.broker import EVENTS, TASKS, decode
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.attachment_references import PAGE, AttachmentReferences
from chalicelib.logic.export import ExportService
from chalicelib.logic.export_document import ExportDocument
from chalicelib.models import Attachment, ConversationMember, ExportStatus, StoredObject
from chalicelib.mq import Message
from chalicelib.task.commands_account import (
    register_attachments,
    register_erasure,
    register_exports,
)
from chalicelib.task.outbox import Outbox
from tests.fakes_changes import reader
from tests.fakes_data import Household
from tests.fakes_groups import grouped
from tests.fakes_messaging import FakeAttachmentFiles, FakeAttachments
from tests.fakes_presence import FakeSettings
from tests.unit.broker_fakes import Fixture, trigger_event
from tests.unit.test_group_changes import Groups

pytestmark = pytest.mark.req("TASK-6")
MOST_STEPS = 500


class DiedError(BaseException):
    """The process is gone; whoever has its records brings them again."""


class Workflows:
    """A broker with the tasks, and a trigger that brings a batch until it is carried out."""

    def __init__(self) -> None:
        self.on = Fixture()
        self.home = Household("ann", "bob", "cat")
        self.tasks: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.dies_at = 0
        self.passed = 0
        self.outbox = Outbox(self.on.kafka, self.on.delays)
        self.exports = ExportService(
            exports=self.home.exports,
            files=lambda: self.home.files,
            document=ExportDocument(
                users=self.home.users,
                sessions=self.home.sessions,
                relations=self.home.relations,
                memberships=self.home.members,
                reader=reader(self.home.world),
                settings=FakeSettings(self.home.world),
                scheduled=self.home.scheduled,
                push_devices=self.home.push_tokens,
                clock=self.home.clock,
            ),
            enqueue=self.outbox.export_data,
            tell=self.home.notices.tell,
            clock=self.home.clock,
            new_id=lambda: "e1",
            part_bytes=40,
        )
        self.groups = Groups(self.home.world)
        grouped(self.home.world, "g-1", "ann", "bob")
        grouped(self.home.world, "g-2", "ann")
        self.attachments, self.bucket = FakeAttachments(), FakeAttachmentFiles()
        self.attachments.step = lambda _name: self.here()
        references = AttachmentReferences(
            attachments=self.attachments,
            files=lambda: self.bucket,
            enqueue=self.outbox.clear_attachments,
        )
        for number in range(PAGE + 2):
            self.bucket.objects[f"ann/f{number:02}"] = StoredObject(1, "text/plain")
            self.attachments.rows[f"f{number:02}"] = upload(f"f{number:02}")
        self.attachments.messages["f01"] = {"m1"}
        register_erasure(
            self.on.broker,
            lambda: self.home.erasure,
            lambda: self.groups.endings,
            lambda: references,
        )
        register_attachments(self.on.broker, lambda: references)
        register_exports(self.on.broker, lambda: self.exports)
        for number in range(45):
            room = f"d-ann-u{number:02}"
            self.home.members.add([ConversationMember(conversation_id=room, user_id="ann")])
        for other in ("bob", "cat"):
            self.home.block("ann", other)
        self.home.files.step = self.home.relations.step = self.here
        self.home.world.step = lambda _name: self.here()
        send = self.on.kafka.send

        def mortal_send(ctx: Context, *messages: Message) -> None:
            self.here()
            send(ctx, *messages)
            self.here()

        self.on.kafka.send = mortal_send  # type: ignore[method-assign]

    def here(self) -> None:
        """A place where the process may die."""
        self.passed += 1
        if self.passed == self.dies_at:
            raise DiedError

    def run(self) -> None:
        """Until nothing is left to do, now or later."""
        for _ in range(MOST_STEPS):
            sent = list(self.on.kafka.sent)
            self.on.kafka.sent.clear()
            self.events += [json.loads(one.value) for one in sent if one.topic == EVENTS]
            commands = [one for one in sent if one.topic == TASKS]
            if commands:
                self.bring(commands)
            elif self.on.delays.kept:
                self.on.now = max(due for due, _ in self.on.delays.kept.values())
                with suppress(DiedError):  # the schedule comes again
                    self.on.broker.release(Context())
            elif not sent:
                return
        pytest.fail("the workflow does not end")

    def bring(self, commands: list[Message]) -> None:
        """As a trigger does: the whole batch again where the process died."""
        self.tasks += [json.loads(one.value)["task"] for one in commands]
        while True:
            try:
                self.on.broker.run("tasks", decode(trigger_event(*commands)))
            except DiedError:
                continue
            return

    def erase(self) -> None:
        self.outbox.erase_account(Context(), "ann")
        self.run()

    def export(self) -> None:
        self.exports.ask(Context(), "ann")
        self.run()


def upload(attachment_id: str, **more: Any) -> Attachment:
    return Attachment(
        id=attachment_id,
        owner_id="ann",
        name="a.txt",
        size=1,
        content_type="text/plain",
        created_at=0.0,
        is_kept=True,
        **more,
    )


def places(workflow: Callable[[Workflows], None]) -> range:
    """Every place where a workflow can be interrupted."""
    whole = Workflows()
    start = whole.passed
    workflow(whole)
    # The first two are in the request itself, which its client repeats.
    return range(start + 3, whole.passed + 1)


@pytest.fixture
def flows() -> Workflows:
    return Workflows()


def test_an_account_is_erased_in_steps_twice_and_then_it_is_said(flows: Workflows) -> None:
    flows.erase()

    once = [
        "erase_account",
        *["erase_relations"] * 2,
        "erase_conversations",
        "leave_groups",
        *["erase_conversations"] * 3,
        *["erase_attachments"] * 2,
        "finish_erasure",
    ]
    again = ["erase_account", "erase_relations", "erase_conversations"]
    again += ["erase_attachments", "finish_erasure"]
    assert flows.tasks == [*once, *again]
    assert [one["event"] for one in flows.events] == ["account.deleted"]
    assert flows.events[0]["payload"] == {"user_id": "ann"}


def test_it_is_not_said_before_the_second_time(flows: Workflows) -> None:
    flows.outbox.erase_account(Context(), "ann")
    while sent := list(flows.on.kafka.sent):
        flows.on.kafka.sent.clear()
        flows.bring(sent)

    assert set(flows.home.world.members) == {("g-1", "bob")}
    assert [due for due, _ in flows.on.delays.kept.values()] == [flows.on.now + 60]


@pytest.mark.parametrize("place", places(Workflows.erase))
def test_an_erasure_that_was_interrupted_is_completed(flows: Workflows, place: int) -> None:
    flows.dies_at = place

    flows.erase()

    assert flows.home.users.rows.keys() == {"bob", "cat"}
    assert set(flows.home.world.members) == {("g-1", "bob")}
    groups = flows.home.world.groups
    assert (groups["g-1"].owner_id, groups["g-2"].dismissed) == ("bob", True)
    assert {one.pending for one in groups.values()} == {""}
    assert flows.home.relations.block_rows == {}
    assert {one["event"] for one in flows.events} == {"account.deleted"}


def test_an_export_is_made_in_steps_and_then_it_is_said(flows: Workflows) -> None:
    flows.export()

    assert flows.tasks == [*["export_data"] * 2, "finish_export"]
    assert [one["event"] for one in flows.events] == ["data.exported"]
    assert flows.events[0]["payload"] == {"user_id": "ann", "export_id": "e1"}


@pytest.mark.parametrize("place", places(Workflows.export))
def test_an_export_that_was_interrupted_is_completed(flows: Workflows, place: int) -> None:
    flows.dies_at = place

    flows.export()

    document = json.loads(flows.home.files.objects["ann/e1.json"])
    assert len(document["conversations"]) == 47
    assert flows.home.exports.rows["ann"].status is ExportStatus.DONE
    assert {one["event"] for one in flows.events} == {"data.exported"}


def test_a_step_that_fails_is_tried_later(flows: Workflows) -> None:
    failures = [UnavailableError("S3 is away")] * 3

    def fail() -> None:
        if failures:
            raise failures.pop()

    flows.home.files.step = fail
    flows.export()

    assert flows.home.exports.rows["ann"].status is ExportStatus.DONE
    assert flows.on.parked == []


def test_an_erasure_ends_an_export_that_is_running(flows: Workflows) -> None:
    flows.exports.ask(Context(), "ann")
    flows.home.erasure.close("ann")
    flows.home.erasure.erase_exports("ann")

    flows.run()

    assert flows.home.files.objects == {}
    assert flows.events == []


@pytest.mark.req("APP-2")
def test_of_a_deleted_users_files_those_stay_that_messages_have(flows: Workflows) -> None:
    flows.attachments.rows["f02"] = upload("f02", is_public=True)  # the avatar

    flows.erase()

    assert list(flows.bucket.objects) == ["ann/f01"]
    assert list(flows.attachments.rows) == ["f01"]


@pytest.mark.req("APP-14")
def test_a_file_goes_with_its_last_message_wherever_a_process_dies() -> None:
    def lose(flows: Workflows) -> None:
        flows.outbox.clear_attachments([("f00", "m9"), ("f01", "m1")])
        flows.run()

    for place in places(lose):
        flows = Workflows()
        flows.dies_at = flows.passed + place
        lose(flows)
        assert "ann/f01" not in flows.bucket.objects
        assert "f01" not in flows.attachments.rows
