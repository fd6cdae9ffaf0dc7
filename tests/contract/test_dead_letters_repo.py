"""The repository only writes, and has no fake: what it wrote is read from the table itself."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
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


def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        park(DeadLetterRepository(tables), "TASKS-0")
