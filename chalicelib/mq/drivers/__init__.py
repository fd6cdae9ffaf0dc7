"""The two Kafka client libraries, each imported only when it is configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from chalicelib.mq.config import Config

if TYPE_CHECKING:
    from chalicelib.mq.consumer import ConsumerDriver
    from chalicelib.mq.producer import ProducerDriver


def producer(settings: Config, name: str) -> ProducerDriver:
    """The configured driver's producer."""
    if settings.driver == "confluent-kafka":
        from chalicelib.mq.drivers.confluent import ConfluentProducer

        return ConfluentProducer(settings, name)
    from chalicelib.mq.drivers.python import PythonProducer

    return PythonProducer(settings, name)


def consumer(settings: Config, name: str, group: str) -> ConsumerDriver:
    """The configured driver's consumer."""
    if settings.driver == "confluent-kafka":
        from chalicelib.mq.drivers.confluent import ConfluentConsumer

        return ConfluentConsumer(settings, name, group)
    from chalicelib.mq.drivers.python import PythonConsumer

    return PythonConsumer(settings, name, group)


class CreateTopic(Protocol):
    """Creates a topic; False when it was there."""

    def __call__(
        self,
        settings: Config,
        name: str,
        *,
        partitions: int,
        replication: int,
        options: Mapping[str, str],
        timeout: float,
    ) -> bool: ...


def create_topic(settings: Config) -> CreateTopic:
    """The configured driver's way to create a topic."""
    if settings.driver == "confluent-kafka":
        from chalicelib.mq.drivers import confluent

        return confluent.create_topic
    from chalicelib.mq.drivers import python

    return python.create_topic
