from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import Placed, Segment
from chalicelib.repo.messages import DEDUPLICATION_SECONDS, MessageRepository
from tests.contract.conftest import Connect
from tests.fakes import FakeLog, World

pytestmark = pytest.mark.req("IM-12")
Log = MessageRepository | FakeLog
SIZES = (1, 3, 1, 2, 5, 1)  # messages of each segment of a short log
EXPIRED = {"expires_at": "2026-11-21T08:00:00.000Z"}
RECALLED = {"recalled": True}
MANY = (1, 2) * 105  # more segments than a query of the repository asks for, twice


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["fake", "endpoint"])
def log(request: pytest.FixtureRequest, world: World) -> Log:
    if request.param == "fake":
        return FakeLog(world)
    return MessageRepository(request.getfixturevalue("tables"), clock=world.clock)


@pytest.fixture
def room() -> str:
    return f"d-{uuid4().hex}"


def placed(room: str, seq: int, content: str = "hello", **more: Any) -> Placed:
    body = {"id": f"m{seq}", "sender_id": "ann", "content": content, **more, "seq": seq}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Placed(room, seq, "ann", f"m{seq}", text)


def segment(room: str, first: int, count: int = 1, **more: Any) -> Segment:
    return Segment(
        conversation_id=room,
        messages=tuple(placed(room, seq, **more) for seq in range(first, first + count)),
        source="TASKS-3",
        first_offset=first + 1000,
        last_offset=first + count + 999,
    )


def fill(log: Log, room: str, sizes: tuple[int, ...] = SIZES) -> list[Segment]:
    """Commits a log of segments of these sizes."""
    segments = [segment(room, sum(sizes[:at]) + 1, size) for at, size in enumerate(sizes)]
    for one in segments:
        assert log.append([one]) == [True]
    return segments


def seqs(messages: list[Placed]) -> list[int]:
    return [one.seq for one in messages]


@pytest.mark.req("APP-11")
def test_a_committed_segment_is_read_back_whole(log: Log, room: str) -> None:
    odd = 'Zoë 👩‍🚀 שלום "quoted" \\ \n\t\u0000\u2028 </script>'
    extra: dict[str, Any] = {
        "n": 2**53,
        "f": 0.1,
        "no": None,
        "yes": True,
        "deep": [{"": []}],
        "dots": "…",
    }
    one = segment(room, 1, 3, content=odd, extra=extra)

    assert log.append([one]) == [True]
    assert log.read_on({room: 0}) == {room: [one]}


def test_a_log_without_messages_has_nothing_to_read(log: Log, room: str) -> None:
    assert log.read_on({room: 0}) == {room: []}
    assert log.read_on({}) == {}
    assert log.containing(room, 1) is None
    assert log.after(room, 0, 10) == []
    assert log.before(room, None, 10) == []
    assert log.blocks(room) == []
    assert log.append([]) == []


def test_the_same_segment_again_is_refused_and_changes_nothing(log: Log, room: str) -> None:
    one = segment(room, 1, 2)

    assert [log.append([one]), log.append([one])] == [[True], [False]]
    assert log.read_on({room: 0}) == {room: [one]}


def test_a_segment_whose_place_another_writer_took_is_refused(log: Log, room: str) -> None:
    first, second = segment(room, 1, content="first"), segment(room, 1, 2, content="second")
    log.append([first])

    assert log.append([second]) == [False]
    assert log.read_on({room: 0}) == {room: [first]}


def test_of_several_conversations_only_the_taken_place_is_refused(log: Log, room: str) -> None:
    rooms = [room + end for end in "abc"]
    log.append([segment(rooms[1], 1, content="first")])

    assert log.append([segment(one, 1, content="second") for one in rooms]) == [True, False, True]

    contents = [json.loads(log.before(one, None, 1)[0].text)["content"] for one in rooms]
    assert contents == ["second", "first", "second"]


def test_more_segments_are_committed_together_than_requests_fly_at_once(
    log: Log, room: str
) -> None:
    segments = [segment(f"{room}-{at}", 1) for at in range(70)]

    assert log.append(segments) == [True] * 70
    assert log.append(segments) == [False] * 70


@pytest.mark.req("APP-11")
def test_of_many_writers_of_one_place_one_commits(connect: Connect, room: str) -> None:
    clients = [connect() for _ in range(6)]

    def write(number: int) -> bool:
        one = segment(room, 1, content=str(number))
        return MessageRepository(clients[number]).append([one])[0]

    with ThreadPoolExecutor(6) as pool:
        committed = list(pool.map(write, range(6)))

    assert committed.count(True) == 1
    (stored,) = MessageRepository(clients[0]).after(room, 0, 10)
    assert json.loads(stored.text)["content"] == str(committed.index(True))


def test_reading_on_gives_what_begins_after_a_number_of_each_conversation(
    log: Log, room: str
) -> None:
    other, empty = f"{room}-other", f"{room}-empty"
    segments, others = fill(log, room), fill(log, other, (2, 2, 2))

    found = log.read_on({room: 4, other: 3, empty: 0})

    assert found == {room: segments[2:], other: others[2:], empty: []}


def test_reading_on_from_within_a_segment_leaves_that_segment_out(log: Log, room: str) -> None:
    segments = fill(log, room)

    assert log.read_on({room: 2}) == {room: segments[2:]}
    assert log.read_on({room: 1}) == {room: segments[1:]}
    assert log.read_on({room: 99}) == {room: []}


def test_reading_on_gives_also_what_is_beyond_a_page_of_the_store(log: Log, room: str) -> None:
    segments = [segment(room, seq, content="x" * 150_000) for seq in range(1, 17)]
    for one in segments:
        log.append([one])
    other = fill(log, f"{room}-other")

    found = log.read_on({room: 0, f"{room}-other": 0})

    assert found == {room: segments, f"{room}-other": other}


def test_each_message_is_found_in_its_segment_and_none_beyond_the_log(log: Log, room: str) -> None:
    segments = fill(log, room)

    for one in segments:
        for seq in range(one.first_seq, one.last_seq + 1):
            assert log.containing(room, seq) == one
    assert log.containing(room, 0) is None
    assert log.containing(room, sum(SIZES) + 1) is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 13, 14])
def test_a_log_is_paged_forwards_without_gap_or_repetition(log: Log, room: str, limit: int) -> None:
    segments = fill(log, room)
    read: list[Placed] = []

    while page := log.after(room, read[-1].seq if read else 0, limit):
        assert len(page) == min(limit, sum(SIZES) - len(read))
        read.extend(page)

    assert read == [message for one in segments for message in one.messages]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 13, 14])
def test_a_log_is_paged_backwards_without_gap_or_repetition(
    log: Log, room: str, limit: int
) -> None:
    segments = fill(log, room)
    read: list[Placed] = []

    while page := log.before(room, read[-1].seq if read else None, limit):
        assert len(page) == min(limit, sum(SIZES) - len(read))
        read.extend(page)

    assert read[::-1] == [message for one in segments for message in one.messages]


def test_a_page_in_either_direction_may_begin_at_any_message(log: Log, room: str) -> None:
    fill(log, room)
    numbers = range(1, sum(SIZES) + 1)

    for seq in range(sum(SIZES) + 2):
        assert seqs(log.after(room, seq, 4)) == [one for one in numbers if one > seq][:4]
        nearest = [one for one in reversed(numbers) if one < seq]
        assert seqs(log.before(room, seq, 4)) == nearest[:4]
    assert log.after(room, 0, 0) == log.before(room, None, 0) == []


def test_a_page_in_either_direction_may_span_very_many_segments(log: Log, room: str) -> None:
    fill(log, room, MANY)
    last = sum(MANY)

    assert seqs(log.after(room, 0, 1000)) == list(range(1, last + 1))
    assert seqs(log.after(room, 2, last - 5)) == list(range(3, last - 2))
    assert seqs(log.before(room, None, 1000)) == list(range(last, 0, -1))
    assert seqs(log.before(room, last - 1, last - 5)) == list(range(last - 2, 3, -1))


def test_a_page_in_either_direction_may_be_larger_than_one_of_the_store(
    log: Log, room: str
) -> None:
    for seq in range(1, 17):
        log.append([segment(room, seq, content="x" * 150_000)])

    assert seqs(log.after(room, 0, 16)) == list(range(1, 17))
    assert seqs(log.before(room, None, 16)) == list(range(16, 0, -1))


@pytest.mark.req("APP-12")
def test_ten_thousand_messages_are_paged_both_ways(log: Log, room: str) -> None:
    fill(log, room, (400,) * 25)
    forwards: list[int] = []
    backwards: list[int] = []

    while page := log.after(room, forwards[-1] if forwards else 0, 1000):
        forwards += seqs(page)
    while page := log.before(room, backwards[-1] if backwards else None, 1000):
        backwards += seqs(page)

    assert forwards == backwards[::-1] == list(range(1, 10_001))


def test_logs_with_similar_names_are_kept_apart(log: Log, room: str) -> None:
    fill(log, room, (1,))
    fill(log, room + "0", (2,))
    fill(log, room[:-1], (3,))

    assert [len(log.after(one, 0, 9)) for one in (room, room + "0", room[:-1])] == [1, 2, 3]
    assert [len(log.before(one, None, 9)) for one in (room, room + "0", room[:-1])] == [1, 2, 3]


def test_blocks_of_digests_are_read_back_in_order_with_their_first_number(
    log: Log, room: str
) -> None:
    every = [bytes([at]) * 8 for at in range(256)]
    sealed = [log.seal(room, 300, every[:200]), log.seal(room, 100, every[156:])]

    log.put_blocks([*sealed, log.seal(f"{room}-other", 9, every[:9])])

    assert log.blocks(room) == [(1, b"".join(every[156:])), (101, b"".join(every[:200]))]
    assert log.blocks(f"{room}-other") == [(1, b"".join(every[:9]))]


def test_a_block_that_is_put_again_is_still_one_block(log: Log, room: str) -> None:
    sealed = log.seal(room, 2, [b"12345678", b"abcdefgh"])

    log.put_blocks([sealed])
    log.put_blocks([sealed])

    assert log.blocks(room) == [(1, b"12345678abcdefgh")]


def test_more_blocks_are_put_together_than_the_store_takes_at_once(log: Log, room: str) -> None:
    log.put_blocks([log.seal(room, seq, [b"12345678"]) for seq in range(1, 61)])
    log.put_blocks([])

    assert log.blocks(room) == [(seq, b"12345678") for seq in range(1, 61)]


def test_a_block_expires_when_no_repetition_can_come_any_more(
    log: Log, room: str, world: World
) -> None:
    log.put_blocks([log.seal(room, 1, [b"12345678"])])
    world.now += 60
    log.put_blocks([log.seal(room, 2, [b"abcdefgh"])])

    world.now += DEDUPLICATION_SECONDS - 61
    assert [first for first, _ in log.blocks(room)] == [1, 2]
    world.now += 1
    assert [first for first, _ in log.blocks(room)] == [2]
    world.now += 60
    assert log.blocks(room) == []


def test_blocks_and_messages_of_a_conversation_are_not_taken_for_each_other(
    log: Log, room: str
) -> None:
    log.put_blocks([log.seal(room, 2, [b"12345678", b"abcdefgh"])])

    (one,) = fill(log, room, (2,))

    assert log.read_on({room: 0}) == {room: [one]}
    assert len(log.blocks(room)) == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda log: log.append([segment("r", 1)]),
        lambda log: log.read_on({"r": 0}),
        lambda log: log.containing("r", 1),
        lambda log: log.after("r", 0, 1),
        lambda log: log.before("r", None, 1),
        lambda log: log.blocks("r"),
        lambda log: log.put_blocks([log.seal("r", 1, [b"12345678"])]),
    ],
    ids=["append", "read_on", "containing", "after", "before", "blocks", "put_blocks"],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch, use: Callable[[MessageRepository], Any]
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(MessageRepository(tables))


def test_segments_are_read_from_a_number_on(log: Log, room: str) -> None:
    segments = fill(log, room)

    assert log.segments_from(room, 1, 3) == segments[:3]
    assert log.segments_from(room, 2, 100) == segments[1:]
    assert log.segments_from(room, 99, 3) == []


def test_segments_are_walked_backwards(log: Log, room: str) -> None:
    segments = fill(log, room, (2, 1, 3))

    assert log.segments_before(room, 99, 2) == [segments[2], segments[1]]
    assert log.segments_before(room, 3, 9) == [segments[0]]
    assert log.segments_before(room, 1, 9) == []


def test_blanked_messages_keep_their_place_and_nothing_else(log: Log, room: str) -> None:
    (one,) = fill(log, room, (3,))

    assert log.blank(one, {1, 3}, EXPIRED)

    bodies = [json.loads(message.text) for message in log.after(room, 0, 10)]
    assert bodies == [
        {"id": "m1", "sender_id": "ann", "content": "", "seq": 1, **EXPIRED},
        {"id": "m2", "sender_id": "ann", "content": "hello", "seq": 2},
        {"id": "m3", "sender_id": "ann", "content": "", "seq": 3, **EXPIRED},
    ]
    stored = log.containing(room, 2)
    assert stored is not None
    assert (stored.revision, stored.source, stored.last_offset) == (1, one.source, one.last_offset)
    assert log.append([one]) == [False], "its place stays taken"


def test_a_segment_is_blanked_only_as_it_was_read(log: Log, room: str) -> None:
    (one,) = fill(log, room, (2,))

    assert log.blank(one, {1}, RECALLED)
    assert not log.blank(one, {2}, EXPIRED), "somebody was faster"
    again = log.containing(room, 1)
    assert again is not None
    assert log.blank(again, {1, 2}, EXPIRED)
    assert not log.blank(again, {2}, RECALLED)

    marks = [json.loads(message.text) for message in log.after(room, 0, 10)]
    assert [("recalled" in m, "expires_at" in m) for m in marks] == [(True, False), (False, True)]


def test_blanking_what_is_blank_writes_nothing(log: Log, room: str) -> None:
    (one,) = fill(log, room, (1,))
    log.blank(one, {1}, EXPIRED)
    again = log.containing(room, 1)
    assert again is not None

    assert log.blank(again, {1}, EXPIRED)

    assert log.containing(room, 1) == again


def test_the_conversations_of_all_segments_are_found(tables: JsonService, room: str) -> None:
    log = MessageRepository(tables)
    rooms = {f"{room}-{at}" for at in range(3)}
    for one in rooms:
        fill(log, one, (1, 2))
        log.put_blocks([log.seal(one, 3, [b"12345678"])])

    found = {one for one in log.conversations() if one.startswith(room)}

    assert found == rooms
