"""The one owner of every Kafka connection of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from chalicelib import mq
from chalicelib.broker.events import BaseEvent
from chalicelib.broker.records import EVENTS, TASKS, event_message
from chalicelib.context import Context
from chalicelib.mq.options import Option

T = TypeVar("T")
Guard = Callable[[Context, Callable[[], T]], T]


def _unguarded(_ctx: Context, send: Callable[[], T]) -> T:
    return send()


class KafkaConnection:
    """Opens a producer when the first record goes out, and consumers where they are asked for.

    Args:
        service_name: Under which name the configuration centre has the cluster.
        options: For every producer, consumer and admin client.
        guard: Runs each send, a circuit breaker for example.
    """

    def __init__(
        self,
        service_name: str,
        *options: Option,
        guard: Guard[list[mq.Message]] = _unguarded,
    ) -> None:
        self._service = service_name
        self._options = options
        self._guard = guard
        self._producer: mq.Producer | None = None
        self._opening = threading.Lock()

    def send(self, ctx: Context, *messages: mq.Message) -> None:
        """Sends records and waits until Kafka has them on all in-sync replicas.

        Raises:
            DeliveryError: Kafka did not confirm one of them in time. What the guard raises.
        """
        self._guard(ctx, lambda: self.producer.send_sync(ctx, *messages))

    def publish(self, ctx: Context, event: BaseEvent, *, key: str = "") -> None:
        """Publishes an event to every listener's group; those with the same key stay in order.

        Raises:
            DeliveryError: Kafka did not confirm it in time. What the guard raises.
        """
        self.send(ctx, event_message(event, key))

    @property
    def producer(self) -> mq.Producer:
        """The producer, connected at first use."""
        with self._opening:
            if self._producer is None:
                self._producer = mq.new_producer(self._service, *self._options)
            return self._producer

    def consumer(self, topic: str, group: str) -> mq.Consumer:
        """A new consumer; whoever asks closes it."""
        return mq.new_consumer(self._service, [topic], group, *self._options)

    def ensure_topics(self, ctx: Context, *, partitions: int, replication: int) -> list[str]:
        """Creates the two topics where they are missing.

        Returns:
            Those that were created.

        Raises:
            MqError: Kafka refused or is away.
        """
        admin = mq.new_admin_client(self._service, *self._options)
        return [
            topic
            for topic in (TASKS, EVENTS)
            if admin.create_topic(ctx, topic, partitions=partitions, replication=replication)
        ]

    def stats(self) -> dict[str, int]:
        """The producer's counts; all 0 before it is opened."""
        producer = self._producer
        return producer.stats() if producer else {"sent": 0, "failed": 0, "in_flight": 0}

    def close(self) -> None:
        """Flushes and disconnects; what comes later opens a new connection."""
        with self._opening:
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()
