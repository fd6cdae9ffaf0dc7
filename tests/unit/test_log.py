from __future__ import annotations

import json

import pytest

from chalicelib.logic.log import MAX_SEGMENT_BYTES, Submission, Tail, digest, plan
from chalicelib.models import ConversationType, Head, message_id

ROOM = "d-a-b"


def body(number: int, content: str = "hello") -> dict[str, object]:
    identity = message_id("a", ROOM, f"c{number}")
    return {"id": identity, "sender_id": "a", "seq": 0, "content": content}


def submission(
    offset: int, *numbers: int, content: str = "hello", source: str = "T-0"
) -> Submission:
    return Submission(
        conversation_id=ROOM,
        type=ConversationType.DIRECT,
        sender_id="a",
        messages=[body(number, content) for number in numbers],
        source=source,
        offset=offset,
    )


def tail() -> Tail:
    return Tail.of(Head(id=ROOM, type=ConversationType.DIRECT))


def test_new_messages_are_numbered_densely_in_the_order_of_the_records() -> None:
    result = plan(tail(), [submission(5, 1, 2), submission(6, 3)])

    (segment,) = result.segments
    assert [one.seq for one in segment.messages] == [1, 2, 3]
    assert [json.loads(one.text)["seq"] for one in segment.messages] == [1, 2, 3]
    assert (segment.first_offset, segment.last_offset) == (5, 6)


def test_a_message_sent_twice_in_one_batch_is_numbered_once() -> None:
    result = plan(tail(), [submission(5, 1), submission(6, 1, 2)])

    assert [one.seq for one in result.segments[0].messages] == [1, 2]


def test_a_large_batch_makes_several_segments_each_below_the_size_of_an_item() -> None:
    large = [submission(n, n, content="x" * 16_000) for n in range(40)]

    result = plan(tail(), large)

    sizes = [sum(len(one.text) for one in segment.messages) for segment in result.segments]
    assert len(sizes) > 1
    assert max(sizes) <= MAX_SEGMENT_BYTES
    assert [one.seq for s in result.segments for one in s.messages] == list(range(1, 41))


def test_records_of_two_partitions_do_not_share_a_segment() -> None:
    result = plan(tail(), [submission(5, 1, source="T-0"), submission(2, 2, source="T-1")])

    assert [segment.source for segment in result.segments] == ["T-0", "T-1"]


def test_a_known_message_is_reported_with_its_number_and_not_numbered_again() -> None:
    known = tail()
    known.advance(plan(known, [submission(5, 1, 2)]).segments[0])

    result = plan(known, [submission(6, 2, 3)])

    assert [(seq, one["id"]) for seq, one, _ in result.repeated] == [(2, body(2)["id"])]
    assert [one.seq for one in result.segments[0].messages] == [3]


def test_two_ids_with_the_same_digest_are_two_messages() -> None:
    known = tail()
    known.advance(plan(known, [submission(5, 1)]).segments[0])
    known.digests[digest(str(body(2)["id"]))] = 1

    result = plan(known, [submission(6, 2)], frozenset({str(body(2)["id"])}))

    assert [one.seq for one in result.segments[0].messages] == [2]


@pytest.mark.parametrize(
    ("source", "offset", "again"),
    [("T-0", 5, False), ("T-0", 6, True), ("T-1", 6, False)],
    ids=["its own record", "a later record", "another partition"],
)
def test_a_known_message_in_a_later_record_was_sent_again(
    source: str, offset: int, again: bool
) -> None:
    known = tail()
    known.advance(plan(known, [submission(5, 1)]).segments[0])

    assert known.is_sent_again(submission(offset, 1, source=source)) is again


def test_a_tail_is_rebuilt_from_head_and_blocks() -> None:
    keys = [digest(str(body(number)["id"])) for number in range(1, 6)]
    head = Head(
        id=ROOM,
        type=ConversationType.DIRECT,
        last_seq=5,
        sealed_seq=3,
        digests=b"".join(keys[3:]),
        sent={"a": 5},
    )

    rebuilt = Tail.of(head, keys[:3])

    assert rebuilt.digests == {key: seq for seq, key in enumerate(keys, 1)}
    assert rebuilt.recent == keys[3:]
    assert rebuilt.sent == {"a": 5}
