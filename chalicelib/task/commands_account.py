"""The workflows of a user's data: each command is a step, and enqueues what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.broker import Broker, Retry, Task
from chalicelib.context import Context
from chalicelib.logic.attachment_references import AttachmentReferences
from chalicelib.logic.erasure import ErasureService
from chalicelib.logic.export import ExportService
from chalicelib.logic.group_endings import GroupEndings
from chalicelib.task.events import AccountDeleted, DataExported

_RETRY = Retry(attempts=12)  # for more than an hour; then a dead letter, which goes on if replayed
# By then no process remembers that the user existed: Directory, Correspondence.
_AGAIN_SECONDS = 60.0


def register_erasure(
    broker: Broker,
    erasure: Callable[[], ErasureService],
    endings: Callable[[], GroupEndings],
    attachments: Callable[[], AttachmentReferences],
) -> None:
    """``erase_account``, then the others one after the other; all of it twice."""

    @broker.task("erase_account", retry=_RETRY)
    def erase_account(ctx: Context, user_id: str, again: bool) -> None:
        erasure().close(user_id)
        erase_relations.kiq(ctx, user_id, user_id, again)

    @broker.task("erase_relations", retry=_RETRY)
    def erase_relations(ctx: Context, user_id: str, again: bool) -> None:
        following = erase_relations if erasure().erase_relations(user_id) else erase_conversations
        following.kiq(ctx, user_id, user_id, again)

    @broker.task("erase_conversations", retry=_RETRY)
    def erase_conversations(ctx: Context, user_id: str, again: bool) -> None:
        if group_ids := erasure().groups_of(user_id):
            # Named, so that a repetition is of the same: it hands on the system line of a change
            # that was made by a process which died then.
            leave_groups.kiq(ctx, user_id, user_id, again, group_ids)
            return
        is_left = erasure().erase_conversations(user_id)
        following = erase_conversations if is_left else erase_attachments
        following.kiq(ctx, user_id, user_id, again)

    @broker.task("leave_groups", retry=_RETRY)
    def leave_groups(ctx: Context, user_id: str, again: bool, group_ids: Sequence[str]) -> None:
        endings().leave(ctx, user_id, group_ids)
        erase_conversations.kiq(ctx, user_id, user_id, again)

    @broker.task("finish_erasure", retry=_RETRY)
    def finish_erasure(ctx: Context, user_id: str, again: bool) -> None:
        erasure().erase_exports(user_id)
        if again:
            broker.publish(ctx, AccountDeleted(user_id=user_id), key=user_id)
        else:
            later = erase_account.with_options(delay_seconds=_AGAIN_SECONDS)
            later.kiq(ctx, user_id, user_id, again=True)

    erase_attachments = _register_files(broker, attachments, finish_erasure)


def _register_files(
    broker: Broker, attachments: Callable[[], AttachmentReferences], then: Task[str, bool]
) -> Task[...]:
    @broker.task("erase_attachments", retry=_RETRY)
    def erase_attachments(ctx: Context, user_id: str, again: bool, after: str = "") -> None:
        if following := attachments().erase(user_id, after):
            erase_attachments.kiq(ctx, user_id, user_id, again, following)
        else:
            then.kiq(ctx, user_id, user_id, again)

    return erase_attachments


def register_attachments(broker: Broker, attachments: Callable[[], AttachmentReferences]) -> None:
    """``clear_attachment``: a message lost what it had; with the last one the object goes."""

    @broker.task("clear_attachment", retry=_RETRY)
    def clear_attachment(_ctx: Context, attachment_id: str, message_id: str) -> None:
        attachments().clear(attachment_id, message_id)


def register_exports(broker: Broker, exports: Callable[[], ExportService]) -> None:
    """``export_data`` until everything is read, then ``finish_export``."""

    @broker.task("export_data", retry=_RETRY)
    def export_data(ctx: Context, user_id: str, export_id: str, step: int) -> None:
        export = exports().carry_out(user_id, export_id, step)
        if export is None:
            return
        if export.is_read:
            finish_export.kiq(ctx, user_id, user_id, export_id)
        else:
            export_data.kiq(ctx, user_id, user_id, export_id, export.step)

    @broker.task("finish_export", retry=_RETRY)
    def finish_export(ctx: Context, user_id: str, export_id: str) -> None:
        if exports().finish(user_id, export_id):
            event = DataExported(user_id=user_id, export_id=export_id)
            broker.publish(ctx, event, key=user_id)
