"""Structured logs for every function, chalicelib's loggers included."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger


def new_logger() -> Logger:
    """The function's logger; service and level come from the environment."""
    logger = Logger()
    shared = logging.getLogger("chalicelib")
    shared.handlers = logger.handlers
    shared.setLevel(logger.log_level)
    shared.propagate = False
    return logger
