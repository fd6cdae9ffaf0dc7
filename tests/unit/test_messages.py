from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from chalicelib.logic.log import Submission
from chalicelib.logic.messages import Accepted, MessageService
from chalicelib.models import WORLD, Attachment, ConversationType, direct_id, message_id
from tests.fakes import FakeConnections, World
from tests.fakes_changes import options, reader
from tests.fakes_relations import open_access
from tests.unit.test_delivery import record, writer

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


def world_of_two() -> World:
    world = World()
    for user in ("ann", "bob"):
        world.user(user)
    return world


def service(
    outbox: Outbox,
    world: World | None = None,
    *,
    refer: Callable[[str, str], None] | None = None,
    attach: Callable[[str, str], Attachment] | None = None,
) -> MessageService:
    world = world or world_of_two()
    access = open_access(Directory(FakeConnections(world), world.clock), world)
    return MessageService(
        access=access,
        submit=outbox,
        options=options(world, attach=attach),
        reader=reader(world),
        clock=world.clock,
        refer=refer,
    )


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


@pytest.mark.req("IM-3")
def test_a_message_reaches_its_receivers_with_all_its_members() -> None:
    outbox, world = Outbox(), world_of_two()
    world.connect("bob", "conn-bob")
    (accepted,) = service(outbox, world).send_message(Context(), "ann", [draft()])
    ((room, args),) = outbox.submitted

    writer(world).deliver(
        [
            Submission(
                conversation_id=room,
                type=ConversationType(args["type"]),
                sender_id=args["sender_id"],
                messages=args["messages"],
                source="TASKS-0",
                offset=0,
            )
        ]
    )

    (frame,) = (json.loads(text) for text in world.received["conn-bob"])
    assert isinstance(accepted, Accepted)
    assert frame["messages"] == [
        {
            "id": accepted.message_id,
            "conversation_id": ROOM,
            "sender_id": "ann",
            "content": "hello",
            "type": "text",
            "seq": 1,
            "created_at": accepted.created_at,
            "client_msg_id": "c1",
        }
    ]


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


def test_when_it_is_not_known_who_exists_nothing_is_accepted_or_rejected() -> None:
    outbox, world = Outbox(), world_of_two()

    class Away(FakeConnections):
        def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
            raise UnavailableError

    access = open_access(Directory(Away(world), world.clock))
    messages = MessageService(
        access=access,
        submit=outbox,
        options=options(world),
        reader=reader(world),
        clock=world.clock,
    )

    with pytest.raises(UnavailableError):
        messages.send_message(Context(), "ann", [draft(1, conversation_id=WORLD), draft(2)])
    assert outbox.submitted == []


@pytest.mark.req("APP-12", "IM-9")
@pytest.mark.parametrize(
    ("before", "after", "limit", "seqs"),
    [
        (None, None, 2, [5, 4]),
        (4, None, 2, [3, 2]),
        (2, None, 9, [1]),
        (1, None, 9, []),
        (None, 0, 2, [1, 2]),
        (None, 3, 9, [4, 5]),
        (None, 5, 9, []),
        (5, 2, 9, [3, 4]),
    ],
)
def test_history_is_paged_both_ways(
    before: int | None, after: int | None, limit: int, seqs: list[int]
) -> None:
    world = world_of_two()
    writer(world).deliver([record(0, 1, 2, 3), record(1, 4, 5, sender="bob")])

    page = service(Outbox(), world).get_messages(
        "bob", ROOM, before=before, after=after, limit=limit
    )

    assert [one.seq for one in page] == seqs


def test_the_history_of_others_is_refused() -> None:
    with pytest.raises(NotMemberError):
        service(Outbox()).get_messages("cat", ROOM, before=None, after=None, limit=10)
