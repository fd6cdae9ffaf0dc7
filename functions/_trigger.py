"""What every Kafka trigger does: carry out the commands or events of one group."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import bootstrap_tasks, metrics
from chalicelib.broker import decode
from chalicelib.logs import new_logger
from functions._entry import entry

logger = new_logger()

_REPORT_SECONDS = 10.0
_MOST_AGES = 50  # of 100 values that one line of the embedded metric format takes


class _Ages:
    """How old the oldest record of each batch was when it was done: for messages, delivery."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._at = time.time()
        self._ages: list[float] = []

    def add(self, event: Mapping[str, Any]) -> None:
        """Takes note of a batch; reports several in one line."""
        now = time.time()
        oldest = min(one["timestamp"] for part in event["records"].values() for one in part)
        self._ages.append(max(0.0, now * 1000 - oldest))
        if len(self._ages) == _MOST_AGES or now - self._at >= _REPORT_SECONDS:
            metrics.emit({"AgeMilliseconds": self._ages}, group=self._group)
            self._at, self._ages = now, []


def trigger(group: str) -> Callable[[Mapping[str, Any], object], None]:
    """The handler of a group; an exception has the trigger bring the whole batch again."""
    ages = _Ages(group)

    def handler(event: Mapping[str, Any], _context: object) -> None:
        bootstrap_tasks.broker().run(group, decode(event))
        ages.add(event)

    return entry(handler)
