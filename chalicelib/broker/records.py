"""What stands in the two topics, and how a Lambda trigger hands it over.

A record's value is a JSON object: `{"v":1,"task":"deliver","args":{…}}` in TASKS,
`{"v":1,"event":"user.registered","event_version":"1.0","payload":{…}}` in EVENTS.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TASKS = "TASKS"
EVENTS = "EVENTS"
FORMAT = 1  # readers refuse a higher one: an older function during a rolling deployment retries


class PoisonError(Exception):
    """A record that can never succeed, however often it is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A record of TASKS or EVENTS as it was received.

    Attributes:
        name: The task's or event's name; empty when the record cannot be read.
        args: Its arguments or payload.
        key: The record's key.
        source: ``topic-partition``; with ``offset`` it is the record's place.
        trace_id: The trace of the request that caused it.
        raw: The value as it stood in Kafka, for the dead letter of a record that cannot be read.
    """

    name: str
    args: Mapping[str, Any]
    key: str
    source: str
    offset: int
    timestamp_ms: int
    trace_id: str
    raw: bytes = b""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseEvent:
    """Something that happened. Subclasses name it and add fields.

    Attributes:
        event_version: ``major.minor``; listeners accept every minor of the majors they know.
    """

    event_version: str = "1.0"
    payload: Mapping[str, Any] = field(default_factory=dict)


def encode_command(task: str, args: Mapping[str, Any]) -> bytes:
    """The value of a command's record."""
    return _dump({"v": FORMAT, "task": task, "args": args})


def encode_event(name: str, event: BaseEvent) -> bytes:
    """The value of an event's record."""
    return _dump(
        {
            "v": FORMAT,
            "event": name,
            "event_version": event.event_version,
            "payload": event.payload,
        }
    )


def decode(event: Mapping[str, Any]) -> Iterator[Command]:
    """The records of a Kafka trigger's event, MSK or self-managed, in order within partitions.

    Shape: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
    """
    for records in event["records"].values():
        for record in records:
            yield _command(record)


def _command(record: Mapping[str, Any]) -> Command:
    raw = base64.b64decode(record.get("value") or "")
    headers = {name: value for entry in record.get("headers", ()) for name, value in entry.items()}
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    readable = isinstance(body, dict) and body.get("v") == FORMAT
    if isinstance(body, dict) and isinstance(body.get("v"), int) and body["v"] > FORMAT:
        raise RuntimeError(f"a record in format {body['v']}: a newer function will take it")
    return Command(
        name=str(body.get("task") or body.get("event") or "") if readable else "",
        args=(body.get("args") or body.get("payload") or {}) if readable else {},
        key=base64.b64decode(record.get("key") or "").decode(errors="replace"),
        source=f"{record['topic']}-{record['partition']}",
        offset=record["offset"],
        timestamp_ms=record.get("timestamp", 0),
        trace_id=bytes(headers.get("trace_id", b"")).decode(errors="replace"),
        raw=b"" if readable else raw,
        version=str(body.get("event_version", "")) if readable else "",
    )


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
