"""The old style, kept beside the new one while a service moves over; MIGRATION.md shows each step.

`@subscribe_event` hands over the event itself, where `Broker.listener` hands over its payload.
Both have a group of their own for each function, skip versions that they do not know, and ignore
unknown fields; so either may be turned into the other at any time, over the same topics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from chalicelib.broker.broker import Broker
from chalicelib.broker.events import BaseEvent, major
from chalicelib.broker.policy import Retry
from chalicelib.broker.records import PoisonError
from chalicelib.context import Context

E = TypeVar("E", bound=BaseEvent)
Subscriber = Callable[[E], object]


def subscribe_event(
    broker: Broker, event: type[E], *, retries: int = 0
) -> Callable[[Subscriber[E]], Subscriber[E]]:
    """Has a function called with each event of a type, of the major version of that type.

    Args:
        broker: Where it is published.
        event: The type.
        retries: How often a failed event is tried again before it is a dead letter; 0 leaves it
            to the trigger, which tries without end.
    """
    (version,) = (one.default for one in fields(event) if one.name == "event_version")
    retry = Retry(attempts=retries + 1) if retries else None

    def register(function: Subscriber[E]) -> Subscriber[E]:
        def listener(_ctx: Context, payload: dict[str, Any]) -> None:
            function(_typed(event, payload))

        name = f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "")
        broker.listener(event, name=name, versions=(major(str(version)),), retry=retry)(listener)
        return function

    return register


def publish_event(broker: Broker, event: BaseEvent) -> None:
    """Publishes an event under a trace of its own; `Broker.publish` goes on with the caller's.

    Raises:
        DeliveryError: Kafka did not confirm it in time.
    """
    broker.publish(Context(), event)


def _typed(event: type[E], payload: dict[str, Any]) -> E:
    known = {one.name for one in fields(event)}
    try:
        return event(**{name: value for name, value in payload.items() if name in known})
    except TypeError as error:
        raise PoisonError(f"event {event.event_name!r}: {error}") from error
