"""Schedule: delayed commands, and those that wait for their next attempt, go to Kafka when due."""

from __future__ import annotations

from chalicelib import bootstrap_tasks
from chalicelib.context import lambda_context
from chalicelib.logs import new_logger
from functions._entry import entry

logger = new_logger()


@entry
def handler(_event: object, _context: object) -> None:
    """Sends what is due."""
    released = bootstrap_tasks.broker().release(lambda_context(timeout=25.0))
    logger.info("released", extra={"commands": released})
