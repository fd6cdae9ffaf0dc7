"""The broker inside librdkafka, as a process: Kafka for trying out, in memory.

librdkafka carries a mock cluster for its own tests (rdkafka_mock.h). It speaks the protocol for
producing, consuming, groups and commits; it keeps the last 5 MB of a partition, and chooses its
ports itself. Before it forgets what a group has not read, producers wait (`backpressure`).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import random
import signal
import sys
from pathlib import Path

import confluent_kafka

from localstack.emulator.backpressure import Backpressure

_PRODUCER = 0  # enum rd_kafka_type_t
_PRODUCE = 0  # ApiKey
_NOT_ENOUGH_REPLICAS = 19  # an error after which every client tries again
# Requests that fail until the next check, and which part is taken nevertheless: who is behind may
# have to write before it goes on, and would wait for itself. What is not used up cannot be taken
# back, so it is little; but where the broker is full, more than can come, and none is taken.
_REFUSALS, _TAKEN = 4, 0.125
_REFUSALS_WHEN_FULL = 64


def library() -> ctypes.CDLL:
    """The librdkafka that is in the confluent-kafka wheel.

    Raises:
        OSError: The wheel has none.
    """
    package = Path(confluent_kafka.__file__).parent
    folders = [package.parent / "confluent_kafka.libs", package / ".dylibs"]
    for folder in folders:
        for path in sorted(folder.glob("librdkafka*")):
            if "++" not in path.name:
                return ctypes.CDLL(str(path))
    raise OSError("there is no librdkafka in the package confluent-kafka")


class MockCluster:
    """A broker for each topic: so one can refuse what is written to its own alone."""

    def __init__(self, topics: dict[str, int]) -> None:
        lib = library()
        lib.rd_kafka_conf_new.restype = ctypes.c_void_p
        lib.rd_kafka_new.restype = ctypes.c_void_p
        lib.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
        lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        # Its last arguments are variable, which Apple's processors take in another place.
        lib.rd_kafka_mock_broker_push_request_error_rtts.argtypes = [
            ctypes.c_void_p,
            ctypes.c_int32,
            ctypes.c_int16,
            ctypes.c_size_t,
        ]
        self._lib = lib
        self._brokers = {name: broker for broker, name in enumerate(topics, start=1)}
        reason = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(lib.rd_kafka_conf_new())
        handle = lib.rd_kafka_new(_PRODUCER, conf, reason, ctypes.c_size_t(len(reason)))
        if not handle:
            raise OSError(reason.value.decode())
        self._handle = ctypes.c_void_p(handle)
        self._cluster = ctypes.c_void_p(lib.rd_kafka_mock_cluster_new(self._handle, len(topics)))
        lib.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        for name, partitions in topics.items():
            lib.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
            for partition in range(partitions):
                lib.rd_kafka_mock_partition_set_leader(
                    self._cluster, name.encode(), partition, self._brokers[name]
                )
        brokers = lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        self.bootstrap: str = brokers.partition(",")[0]

    def refuse(self, topic: str, full: bool) -> None:
        """Has most of the next produce requests for a topic fail with a retriable error; or all."""
        refusals, taken = (_REFUSALS_WHEN_FULL, 0.0) if full else (_REFUSALS, _TAKEN)
        of_topic = self._cluster, self._brokers[topic], ctypes.c_int16(_PRODUCE)
        waiting = ctypes.c_size_t()
        self._lib.rd_kafka_mock_broker_error_stack_cnt(*of_topic, ctypes.byref(waiting))
        for _ in range(waiting.value, refusals):
            error = 0 if random.random() < taken else _NOT_ENOUGH_REPLICAS
            self._lib.rd_kafka_mock_broker_push_request_error_rtts(
                *of_topic, 1, ctypes.c_int(error), ctypes.c_int(0)
            )


def main() -> None:
    """Runs the broker until SIGTERM."""
    parser = argparse.ArgumentParser(prog="kafka_embedded", description=__doc__)
    parser.add_argument("--topic", action="append", default=[], metavar="NAME:PARTITIONS")
    parser.add_argument("--reader", action="append", default=[], metavar="GROUP:TOPIC")
    options = parser.parse_args()
    pairs = (one.rpartition(":") for one in options.topic)
    topics = {name: int(partitions) for name, _, partitions in pairs}
    groups: dict[str, list[str]] = {}
    for group, _, topic in (one.rpartition(":") for one in options.reader):
        groups.setdefault(group, []).append(topic)
    cluster = MockCluster(topics)
    backpressure = Backpressure(cluster.bootstrap, topics, groups, refuse=cluster.refuse)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    backpressure.start()
    sys.stdout.write(json.dumps({"event": "ready", "bootstrap": cluster.bootstrap}) + "\n")
    sys.stdout.flush()
    signal.sigwait(signals)
    backpressure.stop()


if __name__ == "__main__":
    main()
