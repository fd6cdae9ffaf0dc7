"""The composition root's part for mentions; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap

if TYPE_CHECKING:
    from chalicelib.logic.mentions import MentionService
    from chalicelib.repo.mentions import MentionRepository


@cache
def mentions_table() -> MentionRepository:
    """Who is mentioned where."""
    from chalicelib.repo.mentions import MentionRepository

    return MentionRepository(bootstrap.store())


@cache
def mentions() -> MentionService:
    """Notes and counts mentions."""
    from chalicelib.logic.mentions import MentionService

    return MentionService(mentions_table(), time.time)
