"""Receiving: one thread talks to Kafka, another runs the callback.

So a slow callback never keeps the consumer from its heartbeats: the partitions that have enough
queued are paused, and the consumer stays in its group.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib import coord
from chalicelib.mq import config, drivers, shutdown
from chalicelib.mq.callbacks import CallbackRunner, ConsumeCallback
from chalicelib.mq.errors import ConsumeError, MqError
from chalicelib.mq.message import Message, Place
from chalicelib.mq.options import Dependencies, Option, collect
from chalicelib.mq.queues import PartitionQueues

_POLL_SECONDS = 0.1
_PAUSED_POLL_SECONDS = 0.01
_CLOSE_TIMEOUT_SECONDS = 30.0


class ConsumerDriver(Protocol):
    """A Kafka client library behind one shape; called by the thread in `Consumer.subscribe`.

    The callbacks of ``subscribe`` may come from another thread, and call `commit`. ``on_revoked``
    answers where the partitions stand of which messages were received and given up.
    """

    def subscribe(
        self,
        topics: Sequence[str],
        on_assigned: Callable[[Sequence[Place]], None],
        on_revoked: Callable[[Sequence[Place]], Mapping[Place, int]],
    ) -> None: ...
    def poll(self, timeout: float) -> list[Message]: ...
    def commit(self, offsets: Mapping[Place, int], *, wait: bool) -> None: ...
    def pause(self, places: Iterable[Place]) -> None: ...
    def resume(self, places: Iterable[Place]) -> None: ...
    def end(self, place: Place) -> int: ...
    def close(self, timeout: float) -> None: ...


class Consumer:
    """Runs a callback for each message of topics, as a member of a group.

    Messages of one partition come one after the other. Offsets are committed in the background,
    never beyond a message whose callback has not finished.
    """

    def __init__(
        self,
        driver: ConsumerDriver,
        topics: Sequence[str],
        dependencies: Dependencies,
        *,
        commit_interval_seconds: float = 1.0,
    ) -> None:
        self._driver = driver
        self._topics = topics
        self._on = dependencies
        self._logger = dependencies.logger
        self._interval = commit_interval_seconds
        self._queues = PartitionQueues(dependencies.clock)
        self._paused: set[Place] = set()
        self._pausing = threading.Lock()
        self._ends: dict[Place, int] = {}
        self._rebalances = 0
        self._close_timeout = _CLOSE_TIMEOUT_SECONDS
        self._stopping = threading.Event()
        self._runner = CallbackRunner(self._queues, dependencies, self._stopping)
        self._idle = threading.Event()  # nobody is in `subscribe`
        self._idle.set()
        self._threads: set[int] = set()
        self._signalled = False
        self._closed = False

    def subscribe(self, callback: ConsumeCallback) -> None:
        """Receives until `close` is called, by another thread, the callback or SIGTERM.

        Raises:
            ConsumeError: The consumer is closed, or the cluster refuses it for good.
        """
        if self._signalled and self._idle.is_set():
            self._leave()  # the program was told to end before this began
            return
        if self._stopping.is_set() or not self._idle.is_set():
            raise ConsumeError("a consumer can be subscribed once, and not when it is closed")
        self._idle.clear()
        worker = threading.Thread(target=self._runner.run, args=(callback,), name="mq-callback")
        worker.daemon = True
        try:
            self._driver.subscribe(self._topics, self._queues.assign, self._revoked)
            worker.start()
            self._threads = {threading.get_ident(), worker.ident or 0}
            self._receive()
        finally:
            self._stopping.set()
            self._leave()
            self._idle.set()

    def close(self, timeout: float = _CLOSE_TIMEOUT_SECONDS) -> None:
        """Ends `subscribe`: the message in flight is finished, offsets are committed.

        Waits for that, unless it is called by the callback. A second call does nothing.
        """
        self._close_timeout = min(timeout, self._close_timeout)
        self._stopping.set()
        if threading.get_ident() not in self._threads:
            self._idle.wait(timeout)
            if not self._threads:
                self._leave()

    def stats(self) -> dict[str, Any]:
        """A snapshot: counts of messages, errors, dead letters and rebalances; ``lag``.

        ``lag`` has for each partition, as ``topic-partition``, the messages not finished.
        """
        first = self._queues.next_offsets()
        lag = {
            f"{place[0]}-{place[1]}": max(0, end - first[place]) if place in first else 0
            for place, end in list(self._ends.items())
        }
        return {
            **self._runner.counts,
            "rebalances": self._rebalances,
            "queued": len(self._queues),
            "lag": lag,
        }

    def on_sigterm(self) -> bool:
        """`subscribe` returns, if it is running; the answer is whether it is."""
        self._signalled = True
        self._stopping.set()
        return not self._idle.is_set()

    def _receive(self) -> None:
        commit_at = self._on.clock() + self._interval
        while not self._stopping.is_set():
            received = self._driver.poll(_PAUSED_POLL_SECONDS if self._paused else _POLL_SECONDS)
            self._queues.put(received)
            for place in {message.place for message in received}:
                self._ends[place] = self._driver.end(place)
            self._balance()
            if self._on.clock() >= commit_at:
                self._commit(self._queues.finished(), wait=False)
                commit_at = self._on.clock() + self._interval

    def _balance(self) -> None:
        """Pauses partitions with enough queued, resumes those with little."""
        filled = self._queues.filled()
        with self._pausing:
            full = {place for place, part in filled.items() if part >= 1.0} - self._paused
            low = {place for place in self._paused if filled.get(place, 0.0) < 0.5}
            if full:
                self._driver.pause(full)
            if low:
                self._driver.resume(low)
            self._paused = (self._paused | full) - low

    def _revoked(self, places: Sequence[Place]) -> Mapping[Place, int]:
        """Another consumer gets these partitions: the message in flight is finished first."""
        self._rebalances += bool(places) and not self._stopping.is_set()
        finished, left = self._queues.drop(places, self._close_timeout)
        self._commit(finished, wait=True)
        with self._pausing:
            self._paused.difference_update(places)
        for place in places:
            self._ends.pop(place, None)
        return left

    def _leave(self) -> None:
        if self._closed:
            return
        self._closed = True
        shutdown.forget(self)
        if not self._queues.wait_until_idle(self._close_timeout):
            self._logger.error("a callback did not finish in time; its message comes again")
        self._commit(self._queues.finished(), wait=True)
        self._driver.close(self._close_timeout)

    def _commit(self, offsets: Mapping[Place, int], *, wait: bool) -> None:
        if not offsets:
            return
        try:
            self._driver.commit(offsets, wait=wait)
        except MqError as error:
            self._logger.warning("offsets not committed", extra={"error": str(error)})


def new_consumer(
    service_name: str, topics: Sequence[str], group: str, *options: Option
) -> Consumer:
    """A consumer configured under the service's name.

    Raises:
        MqConfigError: There is no configuration, or it is wrong.
    """
    dependencies = collect(options)
    settings = config.load(dependencies.centre or coord.new(), service_name)
    consumer = Consumer(
        drivers.consumer(settings, service_name, group),
        topics,
        dependencies,
        commit_interval_seconds=settings.commit_interval_ms / 1000,
    )
    shutdown.watch(consumer)
    return consumer
