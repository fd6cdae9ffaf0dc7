"""Commands and events on Kafka: exactly two topics, TASKS and EVENTS.

A command (`@broker.task`) is carried out once, by one shared group; an event (`broker.publish`)
reaches every listener (`@broker.listener`), each of which has a group of its own. The same
handlers run behind Lambda triggers (`broker.run(broker.decode(event))`) and in a worker process.
"""

from chalicelib.broker.broker import Broker, Publisher, Task
from chalicelib.broker.records import (
    EVENTS,
    TASKS,
    BaseEvent,
    Command,
    PoisonError,
    decode,
)

__all__ = [
    "EVENTS",
    "TASKS",
    "BaseEvent",
    "Broker",
    "Command",
    "PoisonError",
    "Publisher",
    "Task",
    "decode",
]
