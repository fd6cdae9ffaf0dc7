"""What Lambda's triggers hand over from MSK and from any other Kafka, read by our code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib import bootstrap, bootstrap_tasks
from chalicelib.broker.records import decode, encode_command
from chalicelib.context import Context
from functions._trigger import trigger
from localstack.emulator.batches import MAX_PAYLOAD_BYTES, Record, event, portions
from tests.unit.broker_fakes import Fixture

FOLDER = Path(__file__).parents[1] / "events" / "kafka"

pytestmark = [
    pytest.mark.req("SHAPE-6", "SHAPE-3"),
    pytest.mark.parametrize("shape", ["msk", "self_managed"]),
]


@pytest.fixture
def given(shape: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{shape}.json").read_text("utf-8"))
    return found


class Noting(Fixture):
    """A broker whose two tasks take note; one delivery may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []
        self.failing = 0

        @self.broker.task("push")
        def push(_ctx: Context, text: str) -> None:
            self.noted.append(text)

        @self.broker.task("deliver", group="fanout")
        def deliver(_ctx: Context, conversation_id: str, n: int) -> None:
            if n == self.failing:
                raise OSError("store away")
            self.noted.append(f"{conversation_id} {n}")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Noting:
    """In the place of the functions' own broker."""
    noting = Noting()
    monkeypatch.setattr(bootstrap_tasks, "broker", lambda: noting.broker)
    monkeypatch.setattr(bootstrap, "refresh", lambda: None)
    return noting


def test_records_are_read_in_order_with_trace_and_place(given: dict[str, Any]) -> None:
    commands = list(decode(given))

    assert [(one.source, one.offset, one.name) for one in commands] == [
        ("TASKS-0", 41, "deliver"),
        ("TASKS-0", 43, ""),
        ("TASKS-0", 44, "deliver"),
        ("TASKS-11", 7, "push"),
        ("TASKS-11", 8, ""),
        ("TASKS-11", 9, ""),
    ]
    assert [one.trace_id for one in commands[2:5]] == ["trace-ë", "trace-2", ""]
    assert [one.key for one in commands[:4]] == ["c1", "c1", "c1", ""]
    assert commands[3].args == {"text": "ünïcode"}


def test_each_group_does_its_own_and_one_parks_what_cannot_be_read(
    given: dict[str, Any], done: Noting
) -> None:
    trigger("fanout")(given, None)
    assert done.parked == []

    trigger("tasks")(given, None)

    assert done.noted == ["c1 1", "c1 2", "ünïcode"]
    assert [(one.offset, one.raw) for one, _ in done.parked] == [
        (43, b""),
        (8, b""),
        (9, b"not json"),
    ]


def test_a_failure_is_one_of_the_whole_batch(given: dict[str, Any], done: Noting) -> None:
    """docs/decisions/0014-whole-batches.md says why."""
    done.failing = 2

    with pytest.raises(OSError, match="store away"):
        trigger("fanout")(given, None)


def test_a_batch_at_the_limit_of_a_payload_is_read(shape: str) -> None:
    value = encode_command("deliver", {"text": "x" * 20_000})
    records = [
        Record("TASKS", n % 4, n, 1_700_000_000_000, b"k", value, [("trace_id", b"\xff" * 32)])
        for n in range(400)
    ]

    first, *others = portions(records, 10_000)

    payload = event(first, "arn:aws:kafka:x" if shape == "msk" else "", "kafka:9092")
    assert others
    assert 0.95 * MAX_PAYLOAD_BYTES < len(payload) <= MAX_PAYLOAD_BYTES
    assert len(list(decode(json.loads(payload)))) == len(first)
