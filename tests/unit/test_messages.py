from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import (
    ConversationNotFoundError,
    IMError,
    NotMemberError,
    SelfError,
    UnavailableError,
    UserNotFoundError,
)
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.directory import Directory
from chalicelib.logic.messages import Accepted, Access, MessageService
from chalicelib.models import WORLD, direct_id, message_id
from tests.fakes import FakeConnections, FakeLog, World

ROOM = direct_id("ann", "bob")
Submissions = Sequence[tuple[str, Mapping[str, Any]]]


class Outbox:
    def __init__(self) -> None:
        self.submitted: list[tuple[str, Mapping[str, Any]]] = []
        self.away = False

    def __call__(self, _ctx: Context, submissions: Submissions, /) -> None:
        if self.away:
            raise UnavailableError
        self.submitted.extend(submissions)


def service(outbox: Outbox) -> MessageService:
    world = World()
    for user in ("ann", "bob"):
        world.user(user)
    access = Access(Directory(FakeConnections(world), world.clock))
    return MessageService(access=access, submit=outbox, history=FakeLog(world), clock=world.clock)


def draft(number: int = 1, **where: str) -> Draft:
    return Draft(client_msg_id=f"c{number}", content="hello", **(where or {"to": "bob"}))


@pytest.mark.req("IM-9", "APP-10")
def test_a_message_goes_to_kafka_and_the_sender_gets_id_and_time() -> None:
    outbox = Outbox()

    (accepted,) = service(outbox).send_message(Context(), "ann", [draft()])

    assert accepted == Accepted(
        client_msg_id="c1",
        message_id=message_id("ann", ROOM, "c1"),
        conversation_id=ROOM,
        created_at="2023-11-14T22:13:20.000Z",
    )
    ((key, args),) = outbox.submitted
    assert key == ROOM
    assert args["messages"][0]["content"] == "hello"


def test_messages_of_one_frame_to_one_conversation_travel_in_one_record() -> None:
    outbox = Outbox()
    drafts = [draft(1), draft(2, conversation_id=WORLD), draft(3, conversation_id=ROOM)]

    service(outbox).send_message(Context(), "ann", drafts)

    sizes = {key: len(args["messages"]) for key, args in outbox.submitted}
    assert sizes == {ROOM: 2, WORLD: 1}


@pytest.mark.req("APP-14")
def test_the_same_client_msg_id_gives_the_same_message_id() -> None:
    messages = service(Outbox())

    (first,) = messages.send_message(Context(), "ann", [draft()])
    (again,) = messages.send_message(Context(), "ann", [draft(conversation_id=ROOM)])

    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert first.message_id == again.message_id


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ({"to": "nobody"}, UserNotFoundError),
        ({"to": "ann"}, SelfError),
        ({"conversation_id": "nowhere"}, ConversationNotFoundError),
        ({"conversation_id": direct_id("bob", "cat")}, NotMemberError),
        ({"conversation_id": direct_id("ann", "nobody")}, ConversationNotFoundError),
    ],
)
def test_a_message_that_may_not_be_sent_is_rejected_and_the_others_go(
    where: dict[str, str], error: type[IMError]
) -> None:
    outbox = Outbox()

    rejected, accepted = service(outbox).send_message(
        Context(), "ann", [draft(1, **where), draft(2)]
    )

    assert isinstance(rejected, Rejected)
    assert isinstance(rejected.error, error)
    assert isinstance(accepted, Accepted)
    assert len(outbox.submitted) == 1


def test_when_kafka_does_not_confirm_the_sender_is_told_to_try_again() -> None:
    outbox = Outbox()
    outbox.away = True

    with pytest.raises(UnavailableError):
        service(outbox).send_message(Context(), "ann", [draft()])
