"""Dependencies, given to the factories as options; each has a default."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib import coord
from chalicelib.context import Context
from chalicelib.mq.message import Message

DeadLetterSink = Callable[[Context, Message, Exception], None]
Tracer = Callable[[str, Context, Mapping[str, str]], contextlib.AbstractContextManager[object]]


@dataclass(slots=True)
class Dependencies:
    """What the factories may be given from outside."""

    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("chalicelib.mq"))
    centre: coord.ConfigCentre | None = None
    clock: Callable[[], float] = time.time
    tracer: Tracer | None = None
    dead_letter: DeadLetterSink | None = None
    attempts: int = 5
    first_backoff_seconds: float = 0.1
    max_backoff_seconds: float = 10.0


Option = Callable[[Dependencies], None]


def with_logger(logger: logging.Logger) -> Option:
    """Logs there instead of to ``chalicelib.mq``."""
    return _setting(logger=logger)


def with_config_centre(centre: coord.ConfigCentre) -> Option:
    """Reads the configuration there instead of from a configuration centre of its own."""
    return _setting(centre=centre)


def with_clock(clock: Callable[[], float]) -> Option:
    """Takes the time (Unix seconds) from ``clock``."""
    return _setting(clock=clock)


def with_tracer(tracer: Tracer) -> Option:
    """Runs each send and each callback in ``tracer(name, ctx, attributes)``."""
    return _setting(tracer=tracer)


def with_dead_letter(sink: DeadLetterSink) -> Option:
    """Hands messages there whose attempts are used up.

    The sink gets the message with headers that say why and where from: ``dead_letter_error``,
    ``dead_letter_topic``, ``dead_letter_partition``, ``dead_letter_offset``. When it raises, the
    message is not done with, and its partition waits.
    """
    return _setting(dead_letter=sink)


def with_retry(
    *, attempts: int = 5, first_backoff_seconds: float = 0.1, max_backoff_seconds: float = 10.0
) -> Option:
    """Tries a callback so often, with full jitter in a backoff that doubles."""
    return _setting(
        attempts=attempts,
        first_backoff_seconds=first_backoff_seconds,
        max_backoff_seconds=max_backoff_seconds,
    )


def collect(options: Sequence[Option]) -> Dependencies:
    """The defaults with the options applied."""
    dependencies = Dependencies()
    for option in options:
        option(dependencies)
    return dependencies


def _setting(**values: object) -> Option:
    def apply(dependencies: Dependencies) -> None:
        for name, value in values.items():
            setattr(dependencies, name, value)

    return apply
