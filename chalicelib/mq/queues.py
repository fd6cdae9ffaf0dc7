"""Received messages that are not finished yet, by partition; one worker takes from them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chalicelib.mq.message import Message, Place

ENOUGH_MESSAGES = 5_000  # of one partition
ENOUGH_BYTES = 4_000_000


@dataclass(slots=True)
class _Partition:
    """One partition's messages, in order; the first one may be in flight or be waiting."""

    messages: deque[Message] = field(default_factory=deque)
    size: int = 0  # bytes
    attempts: int = 0  # of the first message
    ready_at: float = 0.0
    finished: int = -1  # the offset to commit, -1 when there is nothing new


class PartitionQueues:
    """Hands out messages in order within a partition, and the partitions in turn.

    A message that waits for its next attempt holds up its own partition and no other.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._partitions: dict[Place, _Partition] = {}
        self._assigned: set[Place] = set()
        self._in_flight: tuple[Place, _Partition] | None = None

    def assign(self, places: Iterable[Place]) -> None:
        """These partitions' messages are wanted from now on."""
        with self._changed:
            self._assigned.update(places)

    def put(self, messages: Iterable[Message]) -> None:
        """Adds what was received, but for partitions that have gone to another consumer."""
        with self._changed:
            for message in messages:
                if message.place not in self._assigned:
                    continue
                queue = self._partitions.setdefault(message.place, _Partition())
                queue.messages.append(message)
                queue.size += len(message.value)
            self._changed.notify_all()

    def take(self, timeout: float) -> tuple[Message, int] | None:
        """The next message and how often it was tried before; it stays first in its partition."""
        with self._changed:
            found = self._next()
            if found is None:
                self._changed.wait(timeout)
                found = self._next()
            if found is None:
                return None
            place, queue = found
            self._in_flight = found
            self._partitions[place] = self._partitions.pop(place)  # the others come first now
            return queue.messages[0], queue.attempts

    def finish(self) -> None:
        """The message in flight is done with."""
        with self._changed:
            _, queue = self._release()
            message = queue.messages.popleft()
            queue.size -= len(message.value)
            queue.finished = (message.offset or 0) + 1
            queue.attempts = 0
            self._changed.notify_all()

    def postpone(self, seconds: float) -> None:
        """The message in flight is to be tried again, not before ``seconds`` have passed."""
        with self._changed:
            _, queue = self._release()
            queue.attempts += 1
            queue.ready_at = self._clock() + seconds
            self._changed.notify_all()

    def drop(
        self, places: Iterable[Place], timeout: float
    ) -> tuple[dict[Place, int], dict[Place, int]]:
        """Forgets partitions that go to another consumer, when their message in flight is done.

        Returns:
            What is to be committed of them; and where those stand that had messages left.
        """
        with self._changed:
            going = {place: self._partitions.get(place) for place in places}
            self._assigned.difference_update(going)
            self._changed.wait_for(lambda: not self._is_in_flight(going), timeout)
            found = {place: one for place, one in going.items() if one}
            for place in found:
                del self._partitions[place]
            finished = {place: one.finished for place, one in found.items() if one.finished >= 0}
            left = {
                place: one.messages[0].offset or 0 for place, one in found.items() if one.messages
            }
            return finished, left

    def finished(self) -> dict[Place, int]:
        """The offsets to commit that were not handed out before."""
        with self._changed:
            found = {}
            for place, queue in self._partitions.items():
                if queue.finished >= 0:
                    found[place], queue.finished = queue.finished, -1
            return found

    def wait_until_idle(self, timeout: float) -> bool:
        """Waits for the message in flight."""
        with self._changed:
            return self._changed.wait_for(lambda: self._in_flight is None, timeout)

    def __len__(self) -> int:
        """How many messages are not finished."""
        with self._changed:
            return sum(len(queue.messages) for queue in self._partitions.values())

    def filled(self) -> dict[Place, float]:
        """How full each partition's queue is: from 1.0 on it needs no more."""
        with self._changed:
            return {
                place: max(len(queue.messages) / ENOUGH_MESSAGES, queue.size / ENOUGH_BYTES)
                for place, queue in self._partitions.items()
            }

    def next_offsets(self) -> dict[Place, int]:
        """The offset of each partition's first message that is not finished."""
        with self._changed:
            return {
                place: queue.messages[0].offset or 0
                for place, queue in self._partitions.items()
                if queue.messages
            }

    def _next(self) -> tuple[Place, _Partition] | None:
        now = self._clock()
        for place, queue in self._partitions.items():
            if queue.messages and queue.ready_at <= now and place in self._assigned:
                return place, queue
        return None

    def _release(self) -> tuple[Place, _Partition]:
        assert self._in_flight is not None, "no message is in flight"
        found, self._in_flight = self._in_flight, None
        return found

    def _is_in_flight(self, places: Iterable[Place]) -> bool:
        return self._in_flight is not None and self._in_flight[0] in set(places)
