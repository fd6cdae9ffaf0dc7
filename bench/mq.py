"""Both drivers of `mq` on one Apache Kafka: `python -m bench.mq` prints a table."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib import mq
from chalicelib.context import Context
from chalicelib.mq.options import Option
from tests.integration.kafka_server import KafkaServer

DRIVERS = ("kafka-python", "confluent-kafka")
_ROUNDS = 4
_SENT = 20_000
_RECEIVED = 60_000
_ONE_BY_ONE = 400
_WARM_UP = 50
_KEYS = 100
_VALUE = b"x" * 200
_TIMEOUT_SECONDS = 60.0

Figure = tuple[str, float]


@dataclass(slots=True)
class Stopwatch:
    """Time that passes, and processor time of all threads of this process."""

    started: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def rate(self, messages: int) -> float:
        """Messages a second."""
        return messages / (time.perf_counter() - self.started)

    def cost(self, messages: int) -> float:
        """Microseconds of processor time a message."""
        return (time.process_time() - self.cpu) / messages * 1e6


class Bench:
    """The phases, on one broker with one driver."""

    def __init__(self, server: KafkaServer, driver: str) -> None:
        self._server = server
        self._driver = driver

    def send(self, topic: str, count: int = _SENT) -> Iterator[Figure]:
        """Many in flight."""
        mq.new_admin_client("bench", self._option()).create_topic(Context(), topic, partitions=4)
        producer = mq.new_producer("bench", self._option(linger_ms=5))
        producer.send_sync(Context(), _message(topic, 0))
        ctx = Context()
        watch = Stopwatch()
        futures = [producer.send(ctx, _message(topic, number)) for number in range(count)]
        for future in futures:
            future.result(_TIMEOUT_SECONDS)
        yield "send, messages/s", watch.rate(count)
        yield "send, CPU µs a message", watch.cost(count)
        producer.close()

    def receive(self, topic: str, group: str) -> Iterator[Figure]:
        """From the first message on: joining the group is not counted."""
        consumer = mq.new_consumer("bench", [topic], group, self._option())
        watches: list[Stopwatch] = []
        figures: list[Figure] = []
        received = 0

        def callback(_ctx: Context, _message: mq.Message) -> None:
            nonlocal received
            if not received:
                watches.append(Stopwatch())
            received += 1
            if received == _RECEIVED:
                figures.append(("receive, messages/s", watches[0].rate(received)))
                figures.append(("receive, CPU µs a message", watches[0].cost(received)))
                consumer.close()

        consumer.subscribe(callback)
        yield from figures

    def send_sync(self, topic: str) -> Iterator[Figure]:
        """One after the other."""
        producer = mq.new_producer("bench", self._option(linger_ms=0))
        for number in range(_WARM_UP):
            producer.send_sync(Context(), _message(topic, number))
        times = []
        watch = Stopwatch()
        for number in range(_ONE_BY_ONE):
            one = Stopwatch()
            producer.send_sync(Context(), _message(topic, number))
            times.append(1000 / one.rate(1))
        yield "send_sync, CPU µs a message", watch.cost(_ONE_BY_ONE)
        producer.close()
        percentiles = statistics.quantiles(times, n=100)
        yield "send_sync, p50 ms", percentiles[49]
        yield "send_sync, p99 ms", percentiles[98]

    def _option(self, **settings: object) -> Option:
        return mq.with_config_centre(self._server.centre(self._driver, **settings))


def _message(topic: str, number: int) -> mq.Message:
    return mq.Message(topic, b"%d" % (number % _KEYS), _VALUE)


def measure(server: KafkaServer) -> dict[str, dict[str, float]]:
    """The median of the rounds, by name and driver; the drivers take turns."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    list(Bench(server, DRIVERS[1]).send("filled", _RECEIVED))
    for turn in range(_ROUNDS):
        for driver in DRIVERS:
            bench, name = Bench(server, driver), f"{driver}-{turn}"
            phases = (bench.send(name), bench.receive("filled", name), bench.send_sync(name))
            for label, value in (figure for phase in phases for figure in phase):
                found[label][driver].append(value)
    return {
        label: {driver: statistics.median(values) for driver, values in by_driver.items()}
        for label, by_driver in found.items()
    }


def main() -> None:
    """Measures."""
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        server = KafkaServer(Path(folder))
        try:
            server.start()
            figures = measure(server)
        finally:
            server.kill()
    print(f"{'':28}{DRIVERS[0]:>16}{DRIVERS[1]:>18}{'ratio':>8}")
    for label, by_driver in figures.items():
        first, second = (by_driver[driver] for driver in DRIVERS)
        print(f"{label:28}{first:16,.2f}{second:18,.2f}{second / first:8.2f}")


if __name__ == "__main__":
    main()
