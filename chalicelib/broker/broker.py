"""The one owner of every Kafka connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from chalicelib.broker.records import (
    EVENTS,
    TASKS,
    BaseEvent,
    Command,
    PoisonError,
    encode_command,
    encode_event,
)
from chalicelib.context import Context
from chalicelib.mq import Message, Producer

logger = logging.getLogger(__name__)

BatchHandler = Callable[[Sequence[Command]], None]
Listener = Callable[[Context, dict[str, Any]], None]
DeadLetterSink = Callable[[Command, Exception], None]


class Publisher:
    """Sends commands and events; opens Kafka when the first one goes out."""

    def __init__(self, connect: Callable[[], Producer]) -> None:
        self._connect = connect
        self._producer: Producer | None = None

    def send(self, ctx: Context, *messages: Message) -> None:
        """Sends records and waits until Kafka has them on all in-sync replicas.

        Raises:
            DeliveryError: Kafka did not confirm one of them in time.
        """
        self.producer.send_sync(ctx, *messages)

    def send_later(self, ctx: Context, message: Message) -> Future[Message]:
        """Queues a record without waiting."""
        return self.producer.send(ctx, message)

    @property
    def producer(self) -> Producer:
        """The producer, connected at first use."""
        if self._producer is None:
            self._producer = self._connect()
        return self._producer

    def close(self) -> None:
        """Flushes and disconnects."""
        if self._producer is not None:
            self._producer.close()


class Task:
    """A command: called, it runs here; with `kiq`, it is carried out by whoever has its trigger."""

    def __init__(self, name: str, publisher: Publisher) -> None:
        self.name = name
        self._publisher = publisher

    def message(self, key: str, args: Mapping[str, Any]) -> Message:
        """The record that asks for this task; records with the same key stay in order."""
        return Message(TASKS, key.encode(), encode_command(self.name, args))

    def kiq(self, ctx: Context, key: str, **args: Any) -> None:
        """Enqueues the task and waits until Kafka has it.

        Raises:
            DeliveryError: Kafka did not confirm it in time.
        """
        self._publisher.send(ctx, self.message(key, args))


class Broker:
    """Tasks, listeners, and what runs them."""

    def __init__(self, publisher: Publisher, *, dead_letter: DeadLetterSink) -> None:
        self._publisher = publisher
        self._dead_letter = dead_letter
        self._tasks: dict[str, BatchHandler] = {}
        self._listeners: dict[str, tuple[Listener, tuple[str, ...]]] = {}

    def task(self, name: str) -> Callable[[BatchHandler], Task]:
        """Declares a command; its handler takes the commands of one batch, in order."""

        def register(handler: BatchHandler) -> Task:
            self._tasks[name] = handler
            return Task(name, self._publisher)

        return register

    def listener(self, event: str, *, majors: Sequence[str] = ("1",)) -> Callable[[Listener], str]:
        """Declares a listener of an event, for the major versions it understands."""

        def register(handler: Listener) -> str:
            self._listeners[event] = (handler, tuple(majors))
            return event

        return register

    def publish(self, ctx: Context, name: str, event: BaseEvent, *, key: str = "") -> None:
        """Publishes an event to every listener's group.

        Raises:
            DeliveryError: Kafka did not confirm it in time.
        """
        value = encode_event(name, event)
        self._publisher.send(ctx, Message(EVENTS, key.encode() or None, value))

    def run(self, commands: Iterable[Command]) -> None:
        """Carries out a batch; an exception means that all of it is to be delivered again."""
        batches: dict[str, list[Command]] = {}
        for command in commands:
            batches.setdefault(command.name, []).append(command)
        for name, batch in batches.items():
            if name in self._tasks:
                self._tasks[name](batch)
            elif name in self._listeners:
                self._notify(name, batch)
            else:
                self._park(batch, PoisonError(f"no handler for {name!r} in format 1"))

    def park(self, command: Command, error: Exception) -> None:
        """Puts a record that can never succeed into the dead-letter table."""
        logger.error(
            "record parked as a dead letter",
            extra={
                "source": command.source,
                "offset": command.offset,
                "trace_id": command.trace_id,
                "error": str(error),
            },
        )
        self._dead_letter(command, error)

    def close(self) -> None:
        """Flushes and disconnects."""
        self._publisher.close()

    def _park(self, batch: Sequence[Command], error: Exception) -> None:
        for command in batch:
            self.park(command, error)

    def _notify(self, name: str, batch: Sequence[Command]) -> None:
        handler, majors = self._listeners[name]
        for command in batch:
            if command.version.partition(".")[0] not in majors:
                logger.warning(
                    "event of an unsupported version skipped",
                    extra={"event": name, "event_version": command.version},
                )
                continue
            handler(Context(trace_id=command.trace_id), dict(command.args))
