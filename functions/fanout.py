"""Kafka trigger on TASKS, `deliver` commands: messages are numbered, stored and delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap
from chalicelib.broker import decode
from functions._log import new_logger

logger = new_logger()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Carries out a batch; an exception has the trigger deliver all of it again."""
    bootstrap.broker().run("fanout", decode(event))
