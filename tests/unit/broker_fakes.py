"""A broker without Kafka: what is sent is kept, and brought as a trigger would."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import Future
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
        self.traces.extend(ctx.trace_id for _ in messages)

    def send_later(self, ctx: Context, message: Message) -> Future[Message]:
        future: Future[Message] = Future()
        try:
            self.send(ctx, message)
        except DeliveryError as error:
            future.set_exception(error)
        else:
            future.set_result(message)
        return future

    def ensure_topics(self, _ctx: Context, *, partitions: int, replication: int) -> list[str]:
        self.topics.append((partitions, replication))
        return ["TASKS", "EVENTS"]

    def close(self) -> None:
        self.closed += 1


class FakeDelays:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[float, Message, str]] = {}

    def put(self, message: Message, due: float, trace_id: str) -> None:
        self.kept[str(len(self.kept))] = (due, message, trace_id)

    def due(self, now: float) -> Sequence[tuple[str, Message, str]]:
        found = [(due, id_, m, trace) for id_, (due, m, trace) in self.kept.items() if due <= now]
        return [(id_, message, trace) for _, id_, message, trace in sorted(found)[:2]]

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
