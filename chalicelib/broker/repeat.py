"""Carries out commands again that Kafka still has, for a store that was set back in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from chalicelib.broker.broker import Broker
from chalicelib.broker.records import TASKS, from_message
from chalicelib.context import Context
from chalicelib.mq import Message

_LOOK_SECONDS = 0.1


def repeat(
    broker: Broker,
    tasks: Mapping[str, str],
    *,
    consumer_group: str,
    since: float,
    idle_seconds: float,
) -> int:
    """Reads TASKS from its beginning, and carries out what was sent between a time and now.

    Args:
        broker: With all its tasks declared.
        tasks: Which ones, and the group that each is in; they must be safe to repeat.
        consumer_group: A name that has no offsets: nobody else's are touched.
        since: Unix seconds.
        idle_seconds: It ends when nothing older than its start came for so long.

    Returns:
        How many commands were carried out.

    Raises:
        MqError: Kafka refused or is away.
    """
    run = _Run(broker, tasks, since)
    consumer = broker.connection.consumer(TASKS, consumer_group)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            if run.idle_for() > idle_seconds:
                consumer.close()
                return

    watcher = threading.Thread(target=watch, name="broker-repeat", daemon=True)
    watcher.start()
    try:
        consumer.subscribe(run.take)
    finally:
        ended.set()
        watcher.join()
        broker.close()
    return run.count


class _Run:
    """What has come so far."""

    def __init__(self, broker: Broker, tasks: Mapping[str, str], since: float) -> None:
        self.count = 0
        self._broker = broker
        self._tasks = tasks
        self._since = since
        self._until = time.time()
        self._seen_at = time.monotonic()
        self._failing: set[tuple[str, int]] = set()  # partitions whose record is tried again

    def take(self, _ctx: Context, message: Message) -> None:
        sent_at = (message.timestamp_ms or 0) / 1000
        if sent_at >= self._until:
            return  # the triggers have it
        self._seen_at = time.monotonic()
        command = from_message(message)
        group = self._tasks.get(command.name)
        if group is None or sent_at < self._since:
            return
        place = (message.topic, message.partition or 0)
        self._failing.add(place)
        self._broker.run(group, [command])
        self._failing.discard(place)
        self.count += 1

    def idle_for(self) -> float:
        return 0.0 if self._failing else time.monotonic() - self._seen_at
