"""What stands in the two topics, and how it is read from there.

A record's value is a JSON object: ``{"v":1,"task":"deliver","args":{…}}`` in TASKS,
``{"v":1,"event":"user.registered","event_version":"1.0","payload":{…}}`` in EVENTS. Either may
have ``attempt`` (it was tried so often before), a task ``idempotency_key``, and an event that is
to be tried again ``listener``: the others have taken it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from chalicelib.broker.events import BaseEvent
from chalicelib.mq import Message

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
        offset: The place there.
        timestamp_ms: When it was sent, Unix milliseconds.
        trace_id: The trace of the request that caused it.
        raw: The value as it stood in Kafka, for the dead letter of a record that cannot be read.
        version: Of an event.
        attempt: How often it was tried before, and put off.
        idempotency_key: Commands of one task with the same one are carried out once.
        listener: The only one that is to take this event, or empty.
        cancelled: Set when the process is told to end.
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
    attempt: int = 0
    idempotency_key: str = ""
    listener: str = ""
    cancelled: Event | None = field(default=None, compare=False)


def encode_command(task: str, args: Mapping[str, Any], **labels: Any) -> bytes:
    """The value of a command's record; labels without a value are left out."""
    return _dump({"v": FORMAT, "task": task, "args": args, **_given(labels)})


def encode_event(name: str, version: str, payload: Mapping[str, Any], **labels: Any) -> bytes:
    """The value of an event's record; labels without a value are left out."""
    body = {"v": FORMAT, "event": name, "event_version": version, "payload": payload}
    return _dump({**body, **_given(labels)})


def event_message(event: BaseEvent, key: str, *, trace_id: str = "") -> Message:
    """The record of an event, in the trace of who sends it or in this one."""
    value = encode_event(event.event_name, event.event_version, event.payload())
    return Message(EVENTS, key.encode() or None, value, traced(trace_id))


def traced(trace_id: str) -> dict[str, bytes]:
    """The headers of a record that belongs to a trace."""
    return {"trace_id": trace_id.encode()} if trace_id else {}


def again(command: Command, *, listener: str = "") -> Message:
    """The record that asks for the next attempt, of this task or by this listener."""
    labels = {"attempt": command.attempt + 1}
    if listener:
        value = encode_event(
            command.name, command.version, command.args, listener=listener, **labels
        )
        return Message(EVENTS, command.key.encode() or None, value, traced(command.trace_id))
    value = encode_command(
        command.name, command.args, idempotency_key=command.idempotency_key, **labels
    )
    return Message(TASKS, command.key.encode(), value, traced(command.trace_id))


def pack(message: Message) -> bytes:
    """A record of ours as bytes, for a delay store."""
    body = {
        "topic": message.topic,
        "key": None if message.key is None else message.key.decode(),
        "value": message.value.decode(),
        "trace_id": message.headers.get("trace_id", b"").decode(),
    }
    return _dump(body)


def unpack(record: bytes) -> Message:
    """The record that was packed."""
    body = json.loads(record)
    key = None if body["key"] is None else body["key"].encode()
    return Message(body["topic"], key, body["value"].encode(), traced(body["trace_id"]))


def decode(event: Mapping[str, Any]) -> Iterator[Command]:
    """The records of a Kafka trigger's event, MSK or self-managed, in order within partitions.

    Shape: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
    """
    for records in event["records"].values():
        for record in records:
            yield from_message(_message(record))


def from_message(message: Message) -> Command:
    """A record as a command.

    Raises:
        RuntimeError: It is in a newer format; it is to be tried again, by a newer function.
    """
    try:
        body = json.loads(message.value)
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("v"), int) and body["v"] > FORMAT:
        raise RuntimeError(f"a record in format {body['v']}: a newer function will take it")
    readable = _is_readable(body)
    found: Mapping[str, Any] = body if readable else {}
    return Command(
        name=str(found.get("task") or found.get("event") or ""),
        args=found.get("args") or found.get("payload") or {},
        key=(message.key or b"").decode(errors="replace"),
        source=f"{message.topic}-{message.partition}",
        offset=message.offset or 0,
        timestamp_ms=message.timestamp_ms or 0,
        trace_id=message.headers.get("trace_id", b"").decode(errors="replace"),
        raw=b"" if readable else message.value,
        version=str(found.get("event_version", "")),
        attempt=found.get("attempt", 0),
        idempotency_key=str(found.get("idempotency_key", "")),
        listener=str(found.get("listener", "")),
    )


def _is_readable(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.get("v") == FORMAT
        and isinstance(body.get("args", body.get("payload", {})), dict)
        and isinstance(body.get("attempt", 0), int)
    )


def _message(record: Mapping[str, Any]) -> Message:
    # Lambda writes headers as Java's bytes: what is above 127 is negative.
    headers = {
        name: bytes(one & 0xFF for one in value)
        for entry in record.get("headers") or ()
        for name, value in entry.items()
    }
    return Message(
        topic=record["topic"],
        key=base64.b64decode(record.get("key") or ""),
        value=base64.b64decode(record.get("value") or ""),
        headers={"trace_id": headers.get("trace_id", b"")},
        partition=record["partition"],
        offset=record["offset"],
        timestamp_ms=record.get("timestamp", 0),
    )


def _given(labels: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in labels.items() if value}


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
