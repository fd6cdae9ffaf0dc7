"""The composition root's part for attachments, scheduled messages and search; see `bootstrap`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_changes as changes

if TYPE_CHECKING:
    from chalicelib.frames import Draft
    from chalicelib.logic.attachment_references import AttachmentReferences
    from chalicelib.logic.attachments import AttachmentService
    from chalicelib.logic.scheduled_messages import ScheduledMessageService
    from chalicelib.logic.search import SearchService
    from chalicelib.models import Attachment
    from chalicelib.repo.attachment_files import AttachmentFiles
    from chalicelib.repo.attachments import AttachmentRepository
    from chalicelib.repo.scheduled_messages import ScheduledMessageRepository

_POLICY_MAX_AGE_SECONDS = 60.0


@cache
def attachments_table() -> AttachmentRepository:
    """The uploads."""
    from chalicelib.repo.attachments import AttachmentRepository

    return AttachmentRepository(bootstrap.store())


@cache
def attachment_files() -> AttachmentFiles:
    """The bucket with their objects."""
    from chalicelib.repo.attachment_files import AttachmentFiles

    return AttachmentFiles()


@cache
def attachments() -> AttachmentService:
    """Lets users upload, send and download files."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.attachments import AttachmentService
    from chalicelib.logic.policies import AttachmentPolicy, parse_attachments

    return AttachmentService(
        attachments=attachments_table(),
        files=attachment_files,
        messages=changes.readable(),
        policy=Followed(_reader("attachments"), parse_attachments, AttachmentPolicy()),
        clock=time.time,
    )


def attach(user_id: str, attachment_id: str) -> Attachment:
    """An attachment that its owner sends; few environments that send ever do this."""
    return attachments().use(user_id, attachment_id)


@cache
def attachment_references() -> AttachmentReferences:
    """Which messages have an attachment."""
    from chalicelib.logic.attachment_references import AttachmentReferences

    return AttachmentReferences(
        attachments=attachments_table(),
        files=attachment_files,
        enqueue=bootstrap.outbox().clear_attachments,
    )


def refer(attachment_id: str, message_id: str) -> None:
    """A message that is accepted has an attachment."""
    attachment_references().refer(attachment_id, message_id)


@cache
def scheduled_messages_table() -> ScheduledMessageRepository:
    """The scheduled messages."""
    from chalicelib.repo.scheduled_messages import ScheduledMessageRepository

    return ScheduledMessageRepository(bootstrap.store())


@cache
def scheduled_messages() -> ScheduledMessageService:
    """Schedules, cancels and sends messages."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.policies import SchedulePolicy, parse_schedule
    from chalicelib.logic.scheduled_messages import ScheduledMessageService

    return ScheduledMessageService(
        scheduled=scheduled_messages_table(),
        messages=bootstrap.messages(),
        check=_check,
        require_sender=_require_sender,
        record=bootstrap.outbox().scheduled_record,
        tell=bootstrap.notices().tell,
        policy=Followed(_reader("scheduled-messages"), parse_schedule, SchedulePolicy()),
        clock=time.time,
    )


@cache
def search() -> SearchService:
    """Finds messages."""
    from chalicelib.logic.search import SearchService

    return SearchService(
        access=bootstrap.access(),
        log=bootstrap.messages_table(),
        memberships=bootstrap.members_table(),
        seen_by=changes.reader().seen_by,
    )


def _check(user_id: str, draft: Draft) -> None:
    """What `MessageService` will ask when it is sent."""
    from chalicelib.models import rfc3339

    conversation_id, _ = bootstrap.access().resolve(user_id, draft)
    if draft.options is not None:
        changes.options().members(user_id, conversation_id, draft.options, rfc3339(time.time()))


def _require_sender(user_id: str) -> None:
    """Nobody sends what they have scheduled once they are banned or gone."""
    from chalicelib.errors import BannedError, UserNotFoundError

    if not bootstrap.directory().exists(user_id):
        raise UserNotFoundError
    if accounts.bans_table().get(user_id):
        raise BannedError


def _reader(name: str) -> Callable[[], str | None]:
    """Reads a policy."""
    from chalicelib.coord import CoordError, parameter_path
    from chalicelib.errors import UnavailableError

    path = parameter_path("policy", name)

    def read() -> str | None:
        try:
            found = bootstrap.centre().get(path, max_age_seconds=_POLICY_MAX_AGE_SECONDS)
        except CoordError as error:
            raise UnavailableError(str(error)) from error
        return found.value if found else None

    return read
