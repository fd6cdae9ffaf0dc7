"""A long-lived process that carries out tasks and listens, with the same code as the triggers.

Its consumers are in the groups that the Lambda mappings have: both may run, and share the work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.broker.broker import Broker
from chalicelib.broker.records import from_message
from chalicelib.context import Context
from chalicelib.mq import Consumer, Message

logger = logging.getLogger("chalicelib.broker")

STATS_SECONDS = 60.0
RELEASE_SECONDS = 1.0


class Worker:
    """Runs groups of a broker until it is stopped, by `stop`, SIGTERM or SIGINT.

    Args:
        broker: With all its tasks and listeners declared.
        prefix: Of the consumer groups' names: ``{prefix}-{group}``.
        groups: Which ones; all by default.
        on_stats: Called each minute with a group's name and its consumer's statistics.

    Raises:
        ValueError: There is no such group.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        prefix: str,
        groups: Sequence[str] = (),
        on_stats: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        known = broker.groups
        if unknown := [name for name in groups if name not in known]:
            raise ValueError(f"groups: expected some of {', '.join(known)}, found {unknown}")
        self._broker = broker
        self._prefix = prefix
        self._topics = {name: known[name] for name in groups or known}
        self._on_stats = on_stats
        self._consumers: dict[str, Consumer] = {}
        self._stopped = threading.Event()
        self._failed: list[Exception] = []

    def run(self, *, partitions: int = 12, replication: int = 1) -> None:
        """Starts, works, and returns when everything is finished, committed and closed.

        Args:
            partitions: Of a topic that is not there yet.
            replication: The same.

        Raises:
            MqError: Kafka refused, or is away at the start.
        """
        threads: list[threading.Thread] = []
        try:
            self._broker.startup(Context(), partitions=partitions, replication=replication)
            for name, topic in self._topics.items():
                threads.append(self._start(name, topic))
            threads.append(self._every(RELEASE_SECONDS, self._release))
            threads.append(self._every(STATS_SECONDS, self._report))
            logger.info("worker ready", extra={"groups": sorted(self._topics)})
            self._stopped.wait()
        except KeyboardInterrupt:
            logger.info("stopping")
        finally:
            self._end(threads)
        if self._failed:
            raise self._failed[0]

    def stop(self) -> None:
        """Has `run` return: what is in flight is finished, and what is finished committed."""
        self._stopped.set()
        for consumer in list(self._consumers.values()):
            consumer.close()

    def _start(self, name: str, topic: str) -> threading.Thread:
        consumer = self._broker.connection.consumer(topic, f"{self._prefix}-{name}")
        self._consumers[name] = consumer

        def work() -> None:
            try:
                consumer.subscribe(lambda ctx, message: self._carry_out(ctx, name, message))
            except Exception as error:
                logger.exception("consumer ended", extra={"group": name})
                if not self._stopped.is_set():  # else it was closed before it began
                    self._failed.append(error)
            finally:
                self._stopped.set()

        return _thread(f"broker-{name}", work)

    def _carry_out(self, ctx: Context, group: str, message: Message) -> None:
        command = replace(from_message(message), cancelled=ctx.cancelled)
        self._broker.run(group, [command])

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        try:
            self.stop()
            for thread in threads:
                thread.join()
        finally:
            self._broker.close()

    def _every(self, seconds: float, work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            while not self._stopped.wait(seconds):
                try:
                    work()
                except Exception:
                    logger.exception("a worker's periodic work failed")

        return _thread("broker-periodic", run)

    def _release(self) -> None:
        self._broker.release(Context())

    def _report(self) -> None:
        for name, consumer in self._consumers.items():
            if self._on_stats is not None:
                self._on_stats(name, consumer.stats())


def _thread(name: str, target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread
