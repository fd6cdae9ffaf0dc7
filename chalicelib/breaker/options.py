"""How a Provider is configured: its Config, and dependencies given as options."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib import coord
from chalicelib.breaker.circuit import OnChange


class Watch(Protocol):
    """What goes on until it is closed."""

    def close(self) -> None:
        """Ends it."""


class PolicyCentre(Protocol):
    """What a Provider needs of the configuration centre; ``coord.ConfigCentre`` has it."""

    def list(self, path: str, /) -> Iterable[coord.Parameter]:
        """All parameters below a path, or a CoordError."""

    def watch(
        self, path: str, callback: Callable[[Mapping[str, coord.Parameter]], None], /
    ) -> Watch:
        """Calls back with all of them, by their whole paths, whenever one has changed."""


def _ignore_nothing(_: Exception) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Config:
    """What a Provider is configured with.

    Attributes:
        policies_path: Where the policies are: ``<policies_path>/<name>`` has a breaker's own,
            ``<policies_path>/default`` that of all others.
        ignore: True for errors that say nothing of the downstream's health (a failed condition, a
            connection that is gone): such a call counts as successful.

    Raises:
        ValueError: The path does not begin with a slash.
    """

    policies_path: str
    ignore: Callable[[Exception], bool] = field(default=_ignore_nothing, kw_only=True)

    def __post_init__(self) -> None:
        if not self.policies_path.startswith("/"):
            raise ValueError(f"policies_path: expected /a/path, found {self.policies_path!r}")


@dataclass(slots=True)
class Dependencies:
    """What ``new`` may be given from outside."""

    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("chalicelib.breaker"))
    centre: PolicyCentre | None = None
    clock: Callable[[], float] = time.time
    on_change: list[OnChange] = field(default_factory=list)


Option = Callable[[Dependencies], None]


def with_logger(logger: logging.Logger) -> Option:
    """Logs there instead of to ``chalicelib.breaker``."""

    def apply(dependencies: Dependencies) -> None:
        dependencies.logger = logger

    return apply


def with_config_centre(centre: PolicyCentre) -> Option:
    """Reads the policies there instead of from a configuration centre of its own."""

    def apply(dependencies: Dependencies) -> None:
        dependencies.centre = centre

    return apply


def with_clock(clock: Callable[[], float]) -> Option:
    """Takes the time (Unix seconds) from ``clock``.

    It must be a wall clock: a monotonic one stands still while a Lambda is frozen.
    """

    def apply(dependencies: Dependencies) -> None:
        dependencies.clock = clock

    return apply


def with_on_change(callback: OnChange) -> Option:
    """Calls ``callback(name, old_state, new_state)`` after each change; may be given repeatedly."""

    def apply(dependencies: Dependencies) -> None:
        dependencies.on_change.append(callback)

    return apply


def collect(options: Sequence[Option]) -> Dependencies:
    """The defaults with the options applied."""
    dependencies = Dependencies()
    for option in options:
        option(dependencies)
    return dependencies
