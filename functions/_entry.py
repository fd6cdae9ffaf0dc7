"""What every function does around its work: take over changed policies, report on Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from chalicelib import bootstrap, metrics

T = TypeVar("T")

_REPORT_SECONDS = 60.0


class _Reports:
    """What this environment's producer did, at most once a minute."""

    def __init__(self) -> None:
        self._at = time.time()
        self._counters = metrics.Counters()

    def make(self) -> None:
        """Reports what is new, if it is time."""
        if time.time() - self._at >= _REPORT_SECONDS:
            self._at = time.time()
            self._counters.emit(bootstrap.kafka_counts())


_reports = _Reports()


def entry(handler: Callable[[Any, object], T]) -> Callable[[Any, object], T]:
    """A Lambda handler that refreshes the configuration first."""

    @wraps(handler)
    def run(event: Any, context: object) -> T:
        bootstrap.refresh()
        try:
            return handler(event, context)
        finally:
            _reports.make()

    return run
