"""A broker without Kafka: what is sent is kept, and brought as a trigger would."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import count
from typing import Any

from chalicelib.broker import Broker, Command, KafkaConnection
from chalicelib.context import Context
from chalicelib.mq import DeliveryError, Message


class FakeKafka(KafkaConnection):
    def __init__(self) -> None:
        super().__init__("test")
        self.sent: list[Message] = []
        self.traces: list[str] = []
        self.away = False
        self.topics: list[tuple[int, int]] = []
        self.closed = 0

    def send(self, ctx: Context, *messages: Message) -> None:
        if self.away:
            raise DeliveryError("away")
        self.sent.extend(messages)
        self.traces.extend(
            one.headers.get("trace_id", ctx.trace_id.encode()).decode() for one in messages
        )

    def ensure_topics(self, _ctx: Context, *, partitions: int, replication: int) -> list[str]:
        self.topics.append((partitions, replication))
        return ["TASKS", "EVENTS"]

    def close(self) -> None:
        self.closed += 1


class FakeDelays:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[float, bytes]] = {}
        self._ids = count()

    def put(self, record: bytes, due: float) -> None:
        self.kept[f"{next(self._ids):09d}"] = (due, record)

    def due(self, now: float) -> Sequence[tuple[str, bytes]]:
        found = [(due, id_, record) for id_, (due, record) in self.kept.items() if due <= now]
        return [(id_, record) for _, id_, record in sorted(found)[:2]]

    def remove(self, ids: Sequence[str]) -> None:
        for one in ids:
            del self.kept[one]


class FakeDone(set[str]):
    def is_done(self, key: str) -> bool:
        return key in self

    def done(self, key: str) -> None:
        self.add(key)


class Fixture:
    """A broker on fakes, with a clock that is set by hand."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.delays = FakeDelays()
        self.done = FakeDone()
        self.parked: list[tuple[Command, Exception]] = []
        self.now = 1000.0
        self.broker = Broker(
            self.kafka,
            dead_letter=lambda command, error: self.parked.append((command, error)),
            delays=self.delays,
            done=self.done,
            clock=lambda: self.now,
        )

    def taken(self) -> dict[str, Any]:
        """What was sent, as a trigger's event; it is sent no more."""
        event = trigger_event(*self.kafka.sent)
        self.kafka.sent.clear()
        return event


def trigger_event(*messages: Message) -> dict[str, Any]:
    """The event of a Kafka trigger with these records, of partition 3 from offset 0."""
    records = [
        {
            "topic": message.topic,
            "partition": 3,
            "offset": offset,
            "timestamp": 1700000000000,
            "key": base64.b64encode(message.key or b"").decode(),
            "value": base64.b64encode(message.value).decode(),
            "headers": [{"trace_id": list(b"abc")}],
        }
        for offset, message in enumerate(messages)
    ]
    return {"eventSource": "aws:kafka", "records": {"TASKS-3": records}}
