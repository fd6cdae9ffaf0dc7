"""Dependencies, given to the factories as options; each has a default."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chalicelib import coord


@dataclass(slots=True)
class Dependencies:
    """What the factories may be given from outside."""

    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("chalicelib.mq"))
    centre: coord.ConfigCentre | None = None
    clock: Callable[[], float] = time.time


Option = Callable[[Dependencies], None]


def with_logger(logger: logging.Logger) -> Option:
    """Logs there instead of to ``chalicelib.mq``."""

    def apply(dependencies: Dependencies) -> None:
        dependencies.logger = logger

    return apply


def with_config_centre(centre: coord.ConfigCentre) -> Option:
    """Reads the configuration there instead of from a configuration centre of its own."""

    def apply(dependencies: Dependencies) -> None:
        dependencies.centre = centre

    return apply


def with_clock(clock: Callable[[], float]) -> Option:
    """Takes the time (Unix seconds) from ``clock``."""

    def apply(dependencies: Dependencies) -> None:
        dependencies.clock = clock

    return apply


def collect(options: Sequence[Option]) -> Dependencies:
    """The defaults with the options applied."""
    dependencies = Dependencies()
    for option in options:
        option(dependencies)
    return dependencies
