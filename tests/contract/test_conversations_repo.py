from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import ConversationType, Head, RetentionMark
from chalicelib.repo.conversations import ConversationRepository
from tests.contract.conftest import Connect
from tests.fakes import FakeHeads, World
from tests.fakes_repair import FakeStoredHeads

pytestmark = pytest.mark.req("IM-12")
Heads = ConversationRepository | FakeHeads
CREATED = "2026-01-02T03:04:05.678Z"
LATER = "2026-02-03T04:05:06.789Z"


@pytest.fixture(params=["fake", "endpoint"])
def heads(request: pytest.FixtureRequest) -> Heads:
    if request.param == "fake":
        return FakeHeads(World())
    return ConversationRepository(request.getfixturevalue("tables"))


@pytest.fixture
def room() -> str:
    return f"d-{uuid4().hex}"


def empty(room: str, kind: ConversationType = ConversationType.DIRECT) -> Head:
    return Head(id=room, type=kind, created_at=CREATED, updated_at=CREATED)


def advanced(room: str, last_seq: int, **members: Any) -> Head:
    head = Head(
        id=room,
        type=ConversationType.DIRECT,
        last_seq=last_seq,
        source="TASKS-3",
        offset=last_seq + 1000,
        sealed_seq=last_seq - 1,
        digests=bytes(range(8)),
        sent={"ann": last_seq},
        last='{"content":"Zoë 👩‍🚀"}',
        created_at=LATER,
        updated_at=LATER,
    )
    return replace(head, **members)


def stored(heads: Heads, room: str) -> Head | None:
    return heads.get_conversations([room]).get(room)


@pytest.mark.req("IM-10")
@pytest.mark.parametrize("kind", ConversationType)
def test_a_created_conversation_is_there_and_empty(
    heads: Heads, room: str, kind: ConversationType
) -> None:
    assert heads.create_conversation(Head(id=room, type=kind, created_at=CREATED))

    assert stored(heads, room) == empty(room, kind)


@pytest.mark.req("IM-10")
def test_a_conversation_is_created_empty_whatever_the_head_says(heads: Heads, room: str) -> None:
    heads.create_conversation(advanced(room, 5, created_at=CREATED))

    assert stored(heads, room) == empty(room)


@pytest.mark.req("IM-10")
def test_a_conversation_that_is_there_is_not_created_again(heads: Heads, room: str) -> None:
    heads.create_conversation(empty(room))
    again = replace(empty(room, ConversationType.GROUP), created_at=LATER)

    assert not heads.create_conversation(again)
    assert stored(heads, room) == empty(room)


@pytest.mark.req("IM-10")
def test_a_conversation_with_messages_is_not_emptied_by_a_late_creation(
    heads: Heads, room: str
) -> None:
    heads.advance([advanced(room, 5)])

    assert not heads.create_conversation(empty(room))
    assert stored(heads, room) == advanced(room, 5)


@pytest.mark.req("IM-10")
def test_several_conversations_are_read_at_once_without_those_that_do_not_exist(
    heads: Heads, room: str
) -> None:
    heads.create_conversation(empty(room))
    heads.advance([advanced(f"{room}-b", 2)])

    found = heads.get_conversations([f"{room}-b", room, f"{room}-c", room])

    assert found == {room: empty(room), f"{room}-b": advanced(f"{room}-b", 2)}
    assert heads.get_conversations([]) == {}


@pytest.mark.req("IM-10")
def test_more_conversations_are_read_at_once_than_the_store_gives_in_one_answer(
    heads: Heads, room: str
) -> None:
    wanted = {f"{room}-{at}": advanced(f"{room}-{at}", at) for at in range(1, 231)}
    assert heads.advance(list(wanted.values())) == [True] * 230

    assert heads.get_conversations(list(wanted)) == wanted


def test_the_first_message_makes_a_head_that_was_never_created(heads: Heads, room: str) -> None:
    assert heads.advance([advanced(room, 1, created_at="")]) == [True]

    assert stored(heads, room) == advanced(room, 1, created_at=LATER)


def test_advancing_writes_everything_but_the_time_of_creation(heads: Heads, room: str) -> None:
    heads.create_conversation(empty(room))
    heads.advance([advanced(room, 1, sent={"ann": 1, "bob": 7})])

    last = advanced(room, 9, sent={"bob": 2}, digests=b"", last="", source="TASKS-1", offset=0)
    assert heads.advance([last]) == [True]

    assert stored(heads, room) == replace(last, created_at=CREATED)


@pytest.mark.parametrize("seq", [4, 5])
def test_a_head_that_another_writer_advanced_as_far_or_further_stays(
    heads: Heads, room: str, seq: int
) -> None:
    heads.advance([advanced(room, 5)])

    assert heads.advance([advanced(room, seq, digests=b"late", sent={})]) == [False]
    assert stored(heads, room) == advanced(room, 5)


def test_of_several_heads_only_those_that_are_behind_advance(heads: Heads, room: str) -> None:
    rooms = [room + end for end in "abc"]
    heads.advance([advanced(rooms[1], 9)])

    assert heads.advance([advanced(one, 5) for one in rooms]) == [True, False, True]

    found = heads.get_conversations(rooms)
    assert [found[one].last_seq for one in rooms] == [5, 9, 5]
    assert heads.advance([]) == []


def test_digests_and_counts_of_every_size_are_read_back(heads: Heads, room: str) -> None:
    head = advanced(
        room, 2**40, digests=bytes(range(256)) * 32, sent={f"u{at}": at for at in range(200)}
    )

    heads.advance([head])

    assert stored(heads, room) == head


@pytest.mark.req("IM-10")
def test_of_many_creators_of_one_conversation_one_creates_it(connect: Connect, room: str) -> None:
    clients = [connect() for _ in range(6)]

    def create(client: JsonService) -> bool:
        return ConversationRepository(client).create_conversation(empty(room))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(create, clients)).count(True) == 1


def test_of_many_writers_at_once_the_furthest_one_stands(connect: Connect, room: str) -> None:
    clients = [connect() for _ in range(6)]

    def advance(number: int) -> bool:
        return ConversationRepository(clients[number]).advance([advanced(room, number + 1)])[0]

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(advance, range(6)))

    assert done[5]
    head = stored(ConversationRepository(clients[0]), room)
    assert head == advanced(room, 6)


@pytest.mark.parametrize(
    "use",
    [
        lambda heads: heads.create_conversation(empty("r")),
        lambda heads: heads.get_conversations(["r"]),
        lambda heads: heads.advance([advanced("r", 1)]),
    ],
    ids=["create_conversation", "get_conversations", "advance"],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[ConversationRepository], Any],
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(ConversationRepository(tables))


def all_marks(heads: Heads, limit: int) -> dict[str, RetentionMark]:
    """What a sweep finds, each conversation once."""
    found: dict[str, RetentionMark] = {}
    start = None
    while True:
        marks, start = heads.sweep(start, limit)
        assert len(marks) <= limit
        assert not found.keys() & {one.conversation_id for one in marks}
        found |= {one.conversation_id: one for one in marks}
        if start is None:
            return found


def test_a_sweep_goes_through_every_conversation_once(heads: Heads, room: str) -> None:
    rooms = [f"{room}-{number}" for number in range(7)]
    for one in rooms:
        heads.create_conversation(empty(one))

    found = all_marks(heads, 3)

    assert {one: found[one] for one in rooms} == {
        one: RetentionMark(conversation_id=one, seq=1, since=CREATED) for one in rooms
    }


def test_what_was_kept_is_found_by_the_next_sweep_and_survives_the_head(
    heads: Heads, room: str
) -> None:
    heads.create_conversation(empty(room))
    mark = RetentionMark(conversation_id=room, seq=5, since=LATER)

    heads.mark_kept(mark)
    heads.advance([advanced(room, 9)])

    assert all_marks(heads, 100)[room] == mark


@pytest.mark.parametrize(("seq", "kept"), [(9, True), (10, False)])
def test_the_last_message_of_a_head_is_blanked_with_its_segment(
    heads: Heads, room: str, seq: int, kept: bool
) -> None:
    heads.create_conversation(empty(room))
    heads.advance([advanced(room, 9)])

    heads.mark_kept(RetentionMark(conversation_id=room, seq=seq, since=LATER))

    head = stored(heads, room)
    assert head is not None
    assert (head.last_seq, bool(head.last)) == (9, kept)


def test_a_head_is_written_back_only_as_it_was_seen(
    request: pytest.FixtureRequest, room: str
) -> None:
    for heads in (
        FakeStoredHeads(World()),
        ConversationRepository(request.getfixturevalue("tables")),
    ):
        before, after = advanced(room, 9), advanced(room, 5)
        assert heads.restore(before, None)
        heads.mark_changed(room, 7)

        assert not heads.restore(after, None)
        assert not heads.restore(after, advanced(room, 8))
        assert heads.restore(after, before)

        assert stored(heads, room) == replace(after, changed_seq=7)
