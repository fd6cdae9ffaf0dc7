"""Whether the services behind this one answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_REMEMBERED_SECONDS = 1.0  # anybody may ask; not every question becomes three calls


class HealthService:
    """Asks each dependency in turn.

    Args:
        probes: By the dependency's name; a probe raises when the dependency is away.
        clock: Seconds.
    """

    def __init__(
        self, probes: Mapping[str, Callable[[], None]], clock: Callable[[], float]
    ) -> None:
        self._probes = probes
        self._clock = clock
        self._known: dict[str, str] = {}
        self._known_until = float("-inf")

    def states(self) -> Mapping[str, str]:
        """``ok`` or ``unavailable`` for each dependency."""
        if self._clock() >= self._known_until:
            self._known = {name: _state(name, probe) for name, probe in self._probes.items()}
            self._known_until = self._clock() + _REMEMBERED_SECONDS
        return self._known


def _state(name: str, probe: Callable[[], None]) -> str:
    try:
        probe()
    except Exception as error:  # a probe may fail in any way, and each means the same
        logger.warning("dependency away", extra={"dependency": name, "error": str(error)})
        return "unavailable"
    return "ok"
