"""The composition root's part for repairs; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap

if TYPE_CHECKING:
    from chalicelib.logic.repair import RepairService


@cache
def repair() -> RepairService:
    """Compares what is derived with the logs, and derives it again."""
    from chalicelib.logic.repair import RepairService

    return RepairService(
        heads=bootstrap.conversations_table(),
        log=bootstrap.messages_table(),
        places=bootstrap.members_table(),
        clock=time.time,
    )
