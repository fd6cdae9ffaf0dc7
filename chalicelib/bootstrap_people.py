"""The composition root's part for friends and blocks; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap

if TYPE_CHECKING:
    from chalicelib.logic.blocks import BlockService, Correspondence
    from chalicelib.logic.friends import FriendService
    from chalicelib.logic.policies import MessagePolicy
    from chalicelib.repo.relations import RelationRepository

_POLICY_MAX_AGE_SECONDS = 60.0  # every sending environment asks: docs/operations.md


@cache
def relations_table() -> RelationRepository:
    """Friends, friend requests and blocks."""
    from chalicelib.repo.relations import RelationRepository

    return RelationRepository(bootstrap.store())


@cache
def friends() -> FriendService:
    """Makes people friends, and ends it."""
    from chalicelib.logic.friends import FriendService

    return FriendService(
        relations=relations_table(),
        directory=bootstrap.directory(),
        tell=bootstrap.notices().tell,
        clock=time.time,
    )


@cache
def blocks() -> BlockService:
    """Blocks and unblocks."""
    from chalicelib.logic.blocks import BlockService

    return BlockService(
        relations=relations_table(),
        directory=bootstrap.directory(),
        tell=bootstrap.notices().tell,
    )


@cache
def correspondence() -> Correspondence:
    """Who may write to whom."""
    from chalicelib.logic.blocks import Correspondence

    return Correspondence(relations_table(), message_policy(), time.time)


@cache
def message_policy() -> Callable[[], MessagePolicy]:
    """What people may do with messages."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.policies import MessagePolicy, parse_messages

    return Followed(_message_policy, parse_messages, MessagePolicy())


def _message_policy() -> str | None:
    from chalicelib.coord import CoordError, parameter_path
    from chalicelib.errors import UnavailableError

    path = parameter_path("policy", "messages")
    try:
        found = bootstrap.centre().get(path, max_age_seconds=_POLICY_MAX_AGE_SECONDS)
    except CoordError as error:
        raise UnavailableError(str(error)) from error
    return found.value if found else None
