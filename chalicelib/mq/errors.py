"""What can go wrong.

MqError
├── MqConfigError    the configuration is missing or wrong
├── DeliveryError    Kafka did not confirm a message
└── ConsumeError     the group cannot be read any more
"""

from __future__ import annotations


class MqError(Exception):
    """The cluster refused a request, or cannot be used; never raised directly but by `admin`."""


class MqConfigError(MqError):
    """The configuration is missing or wrong; the text names every key that is."""


class DeliveryError(MqError):
    """Kafka did not confirm a message; it may nevertheless have arrived."""


class ConsumeError(MqError):
    """A consumer cannot go on: closed, or refused by the cluster for good."""
