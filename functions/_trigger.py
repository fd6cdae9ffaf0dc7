"""What every Kafka trigger does: carry out the commands or events of one group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import bootstrap
from chalicelib.broker import decode
from chalicelib.logs import new_logger
from functions._entry import entry

logger = new_logger()


def trigger(group: str) -> Callable[[Mapping[str, Any], object], None]:
    """The handler of a group; an exception has the trigger bring the whole batch again."""

    def handler(event: Mapping[str, Any], _context: object) -> None:
        bootstrap.broker().run(group, decode(event))

    return entry(handler)
