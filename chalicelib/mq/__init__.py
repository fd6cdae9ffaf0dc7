"""A message-queue library on Kafka: configured by service name, nothing else.

README.md beside this file has examples that run.
"""

from chalicelib.mq.admin import AdminClient, new_admin_client
from chalicelib.mq.callbacks import ConsumeCallback
from chalicelib.mq.consumer import Consumer, new_consumer
from chalicelib.mq.errors import ConsumeError, DeliveryError, MqConfigError, MqError
from chalicelib.mq.message import Message
from chalicelib.mq.options import (
    with_clock,
    with_config_centre,
    with_dead_letter,
    with_logger,
    with_retry,
    with_tracer,
)
from chalicelib.mq.producer import Producer, new_producer

__all__ = [
    "AdminClient",
    "ConsumeCallback",
    "ConsumeError",
    "Consumer",
    "DeliveryError",
    "Message",
    "MqConfigError",
    "MqError",
    "Producer",
    "new_admin_client",
    "new_consumer",
    "new_producer",
    "with_clock",
    "with_config_centre",
    "with_dead_letter",
    "with_logger",
    "with_retry",
    "with_tracer",
]
