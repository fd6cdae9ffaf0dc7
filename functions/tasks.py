"""Kafka trigger on TASKS, every command but `deliver`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap
from chalicelib.broker import decode
from functions._log import new_logger

logger = new_logger()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Carries out a batch; an exception has the trigger bring all of it again."""
    bootstrap.broker().run("tasks", decode(event))
