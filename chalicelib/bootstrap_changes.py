"""The composition root's part for what becomes of messages; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_people as people

if TYPE_CHECKING:
    from chalicelib.logic.change_writer import ChangeWriter
    from chalicelib.logic.changes import ChangeService
    from chalicelib.logic.draft_options import OptionService
    from chalicelib.logic.expiry import ExpiryService
    from chalicelib.logic.pins import HideService, PinService
    from chalicelib.logic.reading import MessageReader, ReadableMessages
    from chalicelib.logic.updates import Updates
    from chalicelib.models import Placed
    from chalicelib.repo.changes import ChangeRepository


@cache
def changes_table() -> ChangeRepository:
    """What became of messages."""
    from chalicelib.repo.changes import ChangeRepository

    return ChangeRepository(bootstrap.store())


@cache
def reader() -> MessageReader:
    """Messages as users see them."""
    from chalicelib.logic.reading import MessageReader

    return MessageReader(bootstrap.messages_table(), changes_table(), time.time)


@cache
def readable() -> ReadableMessages:
    """Single messages, of those that somebody may read."""
    from chalicelib.logic.reading import ReadableMessages

    return ReadableMessages(bootstrap.access(), reader())


@cache
def options() -> OptionService:
    """Reads what a message has beside its content."""
    from chalicelib.bootstrap_groups import group_access
    from chalicelib.bootstrap_messaging import attach
    from chalicelib.logic.draft_options import OptionService

    return OptionService(
        groups=group_access(),
        places=bootstrap.members_table(),
        directory=bootstrap.directory(),
        messages=readable(),
        attach=attach,
        policy=people.message_policy(),
    )


@cache
def changes() -> ChangeService:
    """Takes edits, recalls and reactions."""
    from chalicelib.bootstrap_groups import group_access
    from chalicelib.bootstrap_integration import acceptance
    from chalicelib.logic.changes import ChangeService
    from chalicelib.logic.ids import new_id

    return ChangeService(
        access=bootstrap.access(),
        groups=group_access(),
        messages=readable(),
        policy=people.message_policy(),
        enqueue=bootstrap.outbox().change,
        clock=time.time,
        new_id=new_id,
        acceptance=acceptance(),
    )


@cache
def updates() -> Updates:
    """Tells everybody of them."""
    from chalicelib.bootstrap_groups import audiences
    from chalicelib.logic.updates import Updates

    return Updates(
        audiences=audiences(),
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        push_chunks=bootstrap.outbox().push_chunks,
    )


def forget_derived(placed: Iterable[Placed]) -> None:
    """What stands elsewhere of messages that are about to lose their content."""
    from chalicelib.bootstrap_mentions import mentions
    from chalicelib.bootstrap_messaging import attachment_references

    messages = list(placed)
    mentions().forget(messages)
    attachment_references().forget(messages)


@cache
def writer() -> ChangeWriter:
    """Carries them out."""
    from chalicelib.logic.change_writer import ChangeWriter

    return ChangeWriter(
        log=bootstrap.messages_table(),
        heads=bootstrap.conversations_table(),
        changes=changes_table(),
        forget_derived=forget_derived,
        push=updates().push,
        clock=time.time,
    )


@cache
def expiry() -> ExpiryService:
    """Sees to the end of messages."""
    from chalicelib.logic.expiry import ExpiryService

    return ExpiryService(bootstrap.outbox().expire, time.time)


@cache
def pins() -> PinService:
    """Pins messages."""
    from chalicelib.bootstrap_groups import audiences, group_access
    from chalicelib.logic.pins import PinService

    return PinService(
        groups=group_access(),
        messages=readable(),
        pins=changes_table(),
        audiences=audiences(),
        tell=bootstrap.notices().tell,
        policy=people.message_policy(),
        clock=time.time,
    )


@cache
def hiding() -> HideService:
    """Hides messages from one user."""
    from chalicelib.bootstrap_mentions import mentions
    from chalicelib.logic.pins import HideService

    return HideService(
        access=bootstrap.access(),
        log=bootstrap.messages_table(),
        heads=bootstrap.conversations_table(),
        hidden=changes_table(),
        hide_mention=mentions().hide,
        tell=bootstrap.notices().tell,
    )
