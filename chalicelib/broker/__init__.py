"""Commands and events on Kafka: exactly two topics, TASKS and EVENTS.

A command (`@broker.task`) is carried out once, by one shared group; an event (`broker.publish`)
reaches every listener (`@broker.listener`), each of which has a group of its own. The same code
runs behind Lambda triggers (`broker.run(group, decode(event))`) and in a `Worker`.

README.md beside this file has examples that run.
"""

from chalicelib.broker.broker import Broker
from chalicelib.broker.connection import KafkaConnection
from chalicelib.broker.events import BaseEvent
from chalicelib.broker.migration import publish_event, subscribe_event
from chalicelib.broker.policy import DelayStore, DoneStore, Retry, TaskTimeoutError
from chalicelib.broker.records import (
    EVENTS,
    TASKS,
    Command,
    PoisonError,
    decode,
    event_message,
)
from chalicelib.broker.repeat import repeat
from chalicelib.broker.task import Task
from chalicelib.broker.worker import Worker

__all__ = [
    "EVENTS",
    "TASKS",
    "BaseEvent",
    "Broker",
    "Command",
    "DelayStore",
    "DoneStore",
    "KafkaConnection",
    "PoisonError",
    "Retry",
    "Task",
    "TaskTimeoutError",
    "Worker",
    "decode",
    "event_message",
    "publish_event",
    "repeat",
    "subscribe_event",
]
