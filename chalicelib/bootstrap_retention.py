"""The composition root's part for retention; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap

if TYPE_CHECKING:
    from chalicelib.logic.retention import RetentionService


@cache
def retention() -> RetentionService:
    """Blanks what is too old."""
    from chalicelib.bootstrap_changes import changes_table, forget_derived
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.policies import RetentionPolicy, parse_retention
    from chalicelib.logic.retention import RetentionService
    from chalicelib.repo.sweeps import SweepRepository

    return RetentionService(
        heads=bootstrap.conversations_table(),
        log=bootstrap.messages_table(),
        forget=changes_table().forget,
        forget_derived=forget_derived,
        progress=SweepRepository(bootstrap.store()),
        policy=Followed(_policy, parse_retention, RetentionPolicy()),
        clock=time.time,
    )


def _policy() -> str | None:
    """As it is now: a run every few hours must not go by a copy of the last one's."""
    from chalicelib.coord import CoordError, parameter_path
    from chalicelib.errors import UnavailableError

    try:
        found = bootstrap.centre().get(parameter_path("policy", "retention"), max_age_seconds=0)
    except CoordError as error:
        raise UnavailableError(str(error)) from error
    return found.value if found else None
