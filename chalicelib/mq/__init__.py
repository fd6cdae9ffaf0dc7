"""A message-queue library on Kafka: configured by service name, nothing else.

>>> from chalicelib.context import Context
>>> producer = new_producer("shop")                                    # doctest: +SKIP
>>> producer.send_sync(Context(), Message("orders", b"42", b"{}"))     # doctest: +SKIP
>>> producer.close()                                                   # doctest: +SKIP
"""

from chalicelib.mq.admin import AdminClient, new_admin_client
from chalicelib.mq.config import MqConfigError
from chalicelib.mq.message import Message
from chalicelib.mq.options import with_clock, with_config_centre, with_logger
from chalicelib.mq.producer import DeliveryError, Producer, new_producer

__all__ = [
    "AdminClient",
    "DeliveryError",
    "Message",
    "MqConfigError",
    "Producer",
    "new_admin_client",
    "new_producer",
    "with_clock",
    "with_config_centre",
    "with_logger",
]
