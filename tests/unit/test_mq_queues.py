from __future__ import annotations

import threading

from chalicelib.mq.message import Message, Place
from chalicelib.mq.queues import ENOUGH_BYTES, PartitionQueues

A: Place = ("t", 0)
B: Place = ("t", 1)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def message(partition: int, offset: int, value: bytes = b"") -> Message:
    return Message("t", None, value, {}, partition, offset, 0)


def filled(clock: Clock, *messages: Message) -> PartitionQueues:
    queues = PartitionQueues(clock)
    queues.assign([A, B])
    queues.put(messages)
    return queues


def taken(queues: PartitionQueues) -> tuple[int, int | None, int] | None:
    found = queues.take(0)
    return (found[0].partition or 0, found[0].offset, found[1]) if found else None


def test_partitions_take_turns_and_each_keeps_its_order() -> None:
    queues = filled(Clock(), message(0, 1), message(0, 2), message(1, 7))
    order = []

    while found := taken(queues):
        order.append(found[:2])
        queues.finish()

    assert order == [(0, 1), (1, 7), (0, 2)]


def test_what_is_committed_is_only_what_was_finished_and_only_once() -> None:
    queues = filled(Clock(), message(0, 4), message(0, 5))
    taken(queues)

    assert queues.finished() == {}
    queues.finish()
    taken(queues)

    assert queues.finished() == {A: 5}
    assert queues.finished() == {}


def test_a_message_that_waits_holds_up_its_own_partition_only() -> None:
    clock = Clock()
    queues = filled(clock, message(0, 1), message(0, 2), message(1, 7))
    taken(queues)
    queues.postpone(10)

    assert taken(queues) == (1, 7, 0)
    queues.finish()
    assert taken(queues) is None
    clock.now += 11
    assert taken(queues) == (0, 1, 1)


def test_partitions_that_go_are_forgotten_when_their_message_in_flight_is_done() -> None:
    queues = filled(Clock(), message(0, 1), message(0, 2), message(1, 7))
    taken(queues)
    finish = threading.Timer(0.05, queues.finish)
    finish.start()

    finished, left = queues.drop([A], timeout=30)

    assert (finished, left) == ({A: 2}, {A: 2})
    assert taken(queues) == (1, 7, 0)
    assert queues.next_offsets() == {B: 7}


def test_a_partition_that_goes_does_not_wait_for_the_message_of_another() -> None:
    queues = filled(Clock(), message(0, 1), message(1, 7))
    taken(queues)

    assert queues.drop([B], timeout=0) == ({}, {B: 7})
    assert len(queues) == 1


def test_few_large_messages_fill_a_queue_as_many_small_ones_do() -> None:
    queues = filled(Clock(), message(0, 1, b"x" * ENOUGH_BYTES), message(1, 1))

    filled_by_place = queues.filled()

    assert filled_by_place[A] >= 1
    assert filled_by_place[B] < 0.5


def test_what_comes_for_a_partition_that_has_gone_is_left_to_its_new_consumer() -> None:
    queues = filled(Clock(), message(1, 7))
    queues.drop([A], timeout=0)

    queues.put([message(0, 1)])

    assert queues.next_offsets() == {B: 7}
