"""What is parked is read from the table itself, and by the repository."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import DeadLetter
from chalicelib.repo.dead_letters import DeadLetterRepository
from chalicelib.repo.dynamodb import encode_item, query_all, table
from tests.fakes import World

pytestmark = pytest.mark.req("IM-12")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def letters(tables: JsonService, world: World) -> DeadLetterRepository:
    return DeadLetterRepository(tables, clock=world.clock)


@pytest.fixture
def topic() -> str:
    return f"TASKS-{uuid4().hex}"


def park(letters: DeadLetterRepository, source: str, offset: int = 0, **members: Any) -> None:
    record = {"raw": b"", "error": "PoisonError", "details": {}, **members}
    letters.park(source=source, offset=offset, **record)


def parked(tables: JsonService, topic: str) -> list[dict[str, Any]]:
    return query_all(
        tables,
        TableName=table("dead-letters"),
        KeyConditionExpression="topic = :topic",
        ExpressionAttributeValues=encode_item({":topic": topic}),
    )


def test_a_record_is_parked_whole(
    letters: DeadLetterRepository, tables: JsonService, topic: str, world: World
) -> None:
    raw = bytes(range(256))
    details = {"key": "", "args": {"deep": [{"Zoë": None}, 0.5]}, "trace_id": "abc"}

    park(letters, f"{topic}-3", 7, raw=raw, error="no such task: 👩‍🚀", details=details)

    (letter,) = parked(tables, topic)
    assert letter["raw"] == raw
    assert letter["error"] == "no such task: 👩‍🚀"
    assert letter["parked_at"] == world.now
    assert (letter["key"], letter["trace_id"]) == ("", "abc")
    assert json.loads(letter["args"]) == details["args"]
    assert "truncated" not in letter


def test_a_record_that_is_parked_again_is_one_letter(
    letters: DeadLetterRepository, tables: JsonService, topic: str
) -> None:
    park(letters, f"{topic}-3", 7, error="first")
    park(letters, f"{topic}-3", 7, error="second")

    assert [letter["error"] for letter in parked(tables, topic)] == ["second"]


def test_every_record_has_its_own_letter_in_the_order_of_partitions_and_offsets(
    letters: DeadLetterRepository, tables: JsonService, topic: str
) -> None:
    places = [(0, 9), (0, 10), (2, 2**62), (10, 0)]
    for partition, offset in reversed(places):
        park(letters, f"{topic}-{partition}", offset, error=f"{partition}, {offset}")
    park(letters, f"{topic}-other-0", 9)

    found = [letter["error"] for letter in parked(tables, topic)]

    assert found == ["0, 9", "0, 10", f"2, {2**62}", "10, 0"]
    assert len(parked(tables, f"{topic}-other")) == 1


def test_of_a_record_that_is_larger_than_an_item_the_beginnings_are_parked(
    letters: DeadLetterRepository, tables: JsonService, topic: str
) -> None:
    raw = bytes(range(250)) * 4000
    args = {"content": "é" * 300_000}
    details = {"key": "k" * 500_000, "args": args, "trace_id": "abc"}

    park(letters, f"{topic}-0", raw=raw, error="é" * 500_000, details=details)

    (letter,) = parked(tables, topic)
    assert letter["truncated"] == {
        "raw": len(raw),
        "error": 1_000_000,
        "key": 500_000,
        "args": len(json.dumps(args, ensure_ascii=False).encode()),
    }
    assert raw.startswith(letter["raw"])
    assert json.dumps(args, ensure_ascii=False).startswith(letter["args"])
    assert len(letter["args"].encode()) > 90_000
    assert letter["trace_id"] == "abc"


def test_what_no_item_can_hold_as_attributes_is_parked_all_the_same(
    letters: DeadLetterRepository, tables: JsonService, topic: str
) -> None:
    deep: Any = float("nan")
    for _ in range(100):
        deep = [deep]
    details = {"key": "half \ud83d", "args": {"deep": deep, "": 10**60, "half": "\ud83d"}}

    park(letters, f"{topic}-0", details=details)

    (letter,) = parked(tables, topic)
    assert letter["key"] == "half ?"
    assert json.loads(letter["args"])[""] == 10**60


@pytest.mark.req("APP-14")
def test_a_letter_is_read_by_its_id_until_it_is_deleted(
    letters: DeadLetterRepository, topic: str, world: World
) -> None:
    details = {"name": "drain", "key": "bob", "args": {"n": 1}, "trace_id": "abc", "version": ""}
    park(letters, f"{topic}-3", 7, error="PoisonError", details=details)

    found = letters.get(f"{topic}-3-7")

    assert found == DeadLetter(
        topic=topic,
        partition=3,
        offset=7,
        parked_at=world.now,
        error="PoisonError",
        name="drain",
        key="bob",
        args='{"n": 1}',
        trace_id="abc",
    )
    for _ in range(2):
        letters.delete(found.id)
    assert letters.get(found.id) is None


@pytest.mark.req("APP-14")
def test_each_listener_that_gives_an_event_up_has_its_own_letter(
    letters: DeadLetterRepository, topic: str
) -> None:
    for listener in ("statistics", "breakers"):
        park(letters, f"{topic}-3", 7, details={"listener": listener})

    letters.delete(f"{topic}-3-7~statistics")

    assert letters.get(f"{topic}-3-7~statistics") is None
    left = letters.get(f"{topic}-3-7~breakers")
    assert left is not None
    assert (left.id, left.listener) == (f"{topic}-3-7~breakers", "breakers")


@pytest.mark.req("APP-14")
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_letters_are_read_page_by_page_in_the_order_of_their_places(
    letters: DeadLetterRepository, topic: str, limit: int
) -> None:
    places = [(0, 9), (0, 10), (2, 5), (10, 0)]
    for partition, offset in reversed(places):
        park(letters, f"{topic}-{partition}", offset)

    found: list[tuple[int, int]] = []
    after = None
    while True:
        page, after = letters.page(topic, after=after, limit=limit)
        found.extend((one.partition, one.offset) for one in page)
        if after is None:
            break

    assert found == places


def test_a_page_of_large_letters_is_shorter_and_goes_on(
    letters: DeadLetterRepository, topic: str
) -> None:
    for offset in range(8):
        park(letters, f"{topic}-0", offset, raw=b"x" * 200_000)

    first, after = letters.page(topic, after=None, limit=100)
    rest, _ = letters.page(topic, after=after, limit=100)

    assert 0 < len(first) < 8
    assert [one.offset for one in (*first, *rest)] == list(range(8))


@pytest.mark.parametrize("letter_id", ["", "TASKS", "TASKS-3", "TASKS-3-x", "TASKS-3-7~"])
def test_what_is_no_id_is_nobody_s(letters: DeadLetterRepository, letter_id: str) -> None:
    letters.delete(letter_id)

    assert letters.get(letter_id) is None


def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        park(DeadLetterRepository(tables), "TASKS-0")
