from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.broker import decode
from chalicelib.broker.records import unpack
from chalicelib.context import Context
from chalicelib.errors import (
    BannedError,
    BlockedError,
    ConflictError,
    IMError,
    InvalidFieldError,
    LimitReachedError,
    NotFoundError,
    NotMemberError,
    TooLargeError,
    UnavailableError,
)
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.messages import Accepted
from chalicelib.logic.policies import SchedulePolicy
from chalicelib.logic.scheduled_messages import MAX_AHEAD_SECONDS, ScheduledMessageService
from chalicelib.models import ScheduledMessage, ScheduledStatus, message_id, rfc3339
from chalicelib.task.commands import register_scheduled
from chalicelib.task.outbox import Outbox
from tests.fakes import CrashError
from tests.fakes_accounts import Clock
from tests.fakes_messaging import FakeScheduledMessages
from tests.fakes_relations import FakeNotices
from tests.unit.broker_fakes import Fixture, trigger_event

pytestmark = pytest.mark.req("APP-14")
ROOM = "d-ann-bob"
DRAFT = {"conversation_id": ROOM, "client_msg_id": "c1", "content": "later"}


class Later:
    """The service on fakes; it is also what messages go through, and who says who may send."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = FakeScheduledMessages()
        self.notices = FakeNotices()
        self.sent: list[tuple[str, Draft]] = []
        self.refusal: IMError | None = None
        self.sender_is: IMError | None = None
        self.checked: list[Draft] = []
        self.most = 2
        self.on = Fixture()
        self.service = ScheduledMessageService(
            scheduled=self.rows,
            messages=self,
            check=self.check,
            require_sender=self.require_sender,
            record=Outbox(self.on.kafka, self.on.delays).scheduled_record,
            tell=self.notices.tell,
            policy=lambda: SchedulePolicy(max_pending=self.most),
            clock=self.clock,
        )

    def check(self, _user_id: str, draft: Draft) -> None:
        self.checked.append(draft)
        if self.refusal:
            raise self.refusal

    def require_sender(self, _user_id: str) -> None:
        if self.sender_is:
            raise self.sender_is

    def send_message(
        self, _ctx: Context, user_id: str, drafts: Sequence[Draft | Rejected]
    ) -> list[Accepted | Rejected]:
        (draft,) = drafts
        assert isinstance(draft, Draft)
        if isinstance(self.refusal, UnavailableError):
            raise self.refusal
        if self.refusal:
            return [Rejected(client_msg_id=draft.client_msg_id, error=self.refusal)]
        self.sent.append((user_id, draft))
        return [
            Accepted(
                client_msg_id=draft.client_msg_id,
                message_id=message_id(user_id, draft.conversation_id, draft.client_msg_id),
                conversation_id=draft.conversation_id,
                created_at=rfc3339(self.clock()),
            )
        ]

    def schedule(self, unique: str = "a", seconds: float = 60.0, **draft: Any) -> ScheduledMessage:
        return self.service.schedule(
            Context(), "ann", {**DRAFT, **draft}, self.clock() + seconds, unique
        )

    def send(self, message: ScheduledMessage) -> None:
        self.clock.now = max(self.clock.now, message.deliver_at)
        self.service.send(Context(), message.user_id, message.id)

    def status(self, message: ScheduledMessage) -> ScheduledStatus:
        return self.rows.rows[message.user_id, message.id].status


@pytest.fixture
def later() -> Later:
    return Later()


def test_a_message_is_stored_with_the_command_that_has_it_sent(later: Later) -> None:
    message = later.schedule()

    ((record, due),) = later.rows.records
    assert due == message.deliver_at == later.clock() + 60
    value = json.loads(unpack(record).value)
    assert value["task"] == "send_scheduled"
    assert value["args"] == {"user_id": "ann", "scheduled_id": message.id}
    assert later.rows.get("ann", message.id) == message
    assert [one.content for one in later.checked] == ["later"]


def test_the_command_has_the_message_sent(later: Later) -> None:
    message = later.schedule()
    register_scheduled(later.on.broker, lambda: later.service)
    later.clock.now += 60

    later.on.broker.run("tasks", decode(trigger_event(unpack(later.rows.records[0][0]))))

    ((user, draft),) = later.sent
    assert (user, draft.conversation_id, draft.client_msg_id) == ("ann", ROOM, "c1")
    assert later.status(message) is ScheduledStatus.SENT
    assert later.rows.rows["ann", message.id].draft == {}
    assert later.rows.pending("ann") == 0


def test_ids_are_in_the_order_of_delivery(later: Later) -> None:
    ids = [later.schedule(unique, at).id for unique, at in (("a", 90.0), ("b", 5.5))]

    assert sorted(ids) == ids[::-1]


def test_repeated_it_is_the_same_one(later: Later) -> None:
    first = later.schedule()

    assert later.schedule() == first

    assert len(later.rows.records) == 1
    assert later.rows.pending("ann") == 1


@pytest.mark.parametrize("seconds", [-0.001, MAX_AHEAD_SECONDS + 1.0])
def test_a_time_is_from_now_on_and_within_a_year(later: Later, seconds: float) -> None:
    with pytest.raises(InvalidFieldError, match="deliver_at"):
        later.schedule(seconds=seconds)
    assert later.rows.rows == {}


def test_now_is_a_time(later: Later) -> None:
    assert later.schedule(seconds=0.0)


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        ({"content": "x" * 16385}, TooLargeError),
        ({"content": 5}, InvalidFieldError),
        ({"client_msg_id": ""}, InvalidFieldError),
    ],
)
def test_a_draft_is_checked_when_it_is_scheduled(
    later: Later, draft: dict[str, Any], error: type[IMError]
) -> None:
    with pytest.raises(error):
        later.schedule(**draft)


def test_who_may_not_write_now_does_not_schedule(later: Later) -> None:
    later.refusal = BlockedError()

    with pytest.raises(BlockedError):
        later.schedule()
    assert later.rows.rows == {}


def test_as_many_wait_as_the_policy_allows(later: Later) -> None:
    first = later.schedule("a")
    later.schedule("b")
    with pytest.raises(LimitReachedError):
        later.schedule("c")

    later.send(first)

    assert later.schedule("c")


def test_one_that_was_written_beside_others_is_tried_again(later: Later) -> None:
    turns = iter([False, False])
    add = later.rows.add

    def contended(message: ScheduledMessage, record: bytes, *, max_pending: int) -> bool:
        return next(turns, True) and add(message, record, max_pending=max_pending)

    later.rows.add = contended  # type: ignore[method-assign]

    assert later.schedule()


def test_contention_without_end_is_unavailable(later: Later) -> None:
    message = later.schedule()
    later.rows.add = lambda *_, **__: False  # type: ignore[method-assign]
    later.rows.remove = lambda *_: False  # type: ignore[method-assign]

    with pytest.raises(UnavailableError):
        later.schedule("b")
    with pytest.raises(UnavailableError):
        later.service.cancel("ann", message.id)


def test_a_cancelled_message_is_not_sent(later: Later) -> None:
    message = later.schedule()

    later.service.cancel("ann", message.id)
    later.send(message)

    assert later.sent == []
    assert later.rows.pending("ann") == 0


def test_a_message_of_somebody_else_cannot_be_cancelled(later: Later) -> None:
    message = later.schedule()

    with pytest.raises(NotFoundError):
        later.service.cancel("bob", message.id)


@pytest.mark.parametrize("status", [ScheduledStatus.SENDING, ScheduledStatus.SENT])
def test_what_was_sent_or_is_being_sent_cannot_be_cancelled(
    later: Later, status: ScheduledStatus
) -> None:
    message = later.schedule()
    later.rows.rows["ann", message.id] = replace(message, status=status)

    with pytest.raises(ConflictError):
        later.service.cancel("ann", message.id)


def test_of_a_cancellation_at_the_last_moment_only_one_side_wins(later: Later) -> None:
    message = later.schedule()

    def cancel(name: str) -> None:
        if name == "claim":
            later.rows.step = lambda _: None
            later.service.cancel("ann", message.id)

    later.rows.step = cancel
    with pytest.raises(UnavailableError):
        later.send(message)
    later.send(message)

    assert later.sent == []


@pytest.mark.parametrize("place", ["claim", "finish"])
def test_a_crash_anywhere_loses_and_doubles_nothing(later: Later, place: str) -> None:
    message = later.schedule()

    def crash(name: str) -> None:
        if name == place:
            later.rows.step = lambda _: None
            raise CrashError

    later.rows.step = crash
    with pytest.raises(CrashError):
        later.send(message)
    for _ in range(3):
        later.send(message)

    ids = {message_id(user, one.conversation_id, one.client_msg_id) for user, one in later.sent}
    assert ids == {message_id("ann", ROOM, "c1")}
    assert len(later.sent) == (2 if place == "finish" else 1)
    assert later.status(message) is ScheduledStatus.SENT


def test_while_kafka_is_away_it_is_tried_again(later: Later) -> None:
    message = later.schedule()
    later.refusal = UnavailableError()
    with pytest.raises(UnavailableError):
        later.send(message)

    later.refusal = None
    later.send(message)

    assert len(later.sent) == 1
    assert later.status(message) is ScheduledStatus.SENT


def fail(later: Later) -> ScheduledMessage:
    message = later.schedule()
    later.refusal = NotMemberError()
    later.send(message)
    return message


def test_who_may_not_write_any_more_is_told_why(later: Later) -> None:
    message = fail(later)

    failed = later.rows.rows["ann", message.id]
    assert (failed.status, failed.code) == (ScheduledStatus.FAILED, "not_member")
    assert failed.draft == DRAFT
    ((user, event, data),) = later.notices.told
    assert (user, event) == ("ann", "scheduled_message.failed")
    assert (data["id"], data["conversation_id"], data["code"]) == (message.id, ROOM, "not_member")


def test_one_that_failed_is_not_tried_again_and_may_be_forgotten(later: Later) -> None:
    message = fail(later)
    later.refusal = None

    later.send(message)
    later.service.cancel("ann", message.id)

    assert later.sent == []
    assert later.rows.rows == {}


def test_who_was_banned_meanwhile_sends_nothing(later: Later) -> None:
    message = later.schedule()
    later.sender_is = BannedError()

    later.send(message)

    assert later.sent == []
    assert later.rows.rows["ann", message.id].code == "banned"
