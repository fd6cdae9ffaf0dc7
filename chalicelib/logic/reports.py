"""Reports of users and messages, and the moderators who deal with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import ConflictError, NotFoundError, SelfError, UserNotFoundError
from chalicelib.frames import dump
from chalicelib.logic.audit import AuditService
from chalicelib.models import Report, ReportStatus, rfc3339

ROLE = "moderator"  # administrators may do what moderators may

Position = dict[str, Any]


class Reports(Protocol):
    """The stored reports."""

    def add(self, report: Report) -> Report: ...
    def get(self, report_id: str) -> Report | None: ...
    def resolve(self, report_id: str, *, by: str, at: str, note: str) -> bool: ...
    def page(
        self, status: ReportStatus, *, after: Position | None, limit: int
    ) -> tuple[list[Report], Position | None]: ...


class Messages(Protocol):
    """Single messages, of those that somebody may read."""

    def one(self, user_id: str, conversation_id: str, seq: int) -> dict[str, Any]: ...


class ReportService:
    """Takes reports, and has moderators resolve them; the reported side is not told."""

    def __init__(
        self,
        *,
        reports: Reports,
        messages: Messages,
        exists: Callable[[str], bool],
        audit: AuditService,
        clock: Callable[[], float],
    ) -> None:
        self._reports = reports
        self._messages = messages
        self._exists = exists
        self._audit = audit
        self._clock = clock

    def report_user(self, report_id: str, user_id: str, reported_id: str, reason: str) -> Report:
        """Takes a report of a user; with the same id it is the same one.

        Raises:
            SelfError: Nobody reports themselves.
            UserNotFoundError: There is no such user.
        """
        if reported_id == user_id:
            raise SelfError("user_id: expected the id of another user")
        if not self._exists(reported_id):
            raise UserNotFoundError
        return self._reports.add(
            Report(
                id=report_id,
                reporter_id=user_id,
                user_id=reported_id,
                reason=reason,
                created_at=self._now(),
            )
        )

    def report_message(
        self, report_id: str, user_id: str, conversation_id: str, seq: int, reason: str
    ) -> Report:
        """Takes a report of a message that the user may read, with its content as it is now.

        Raises:
            SelfError: It is their own.
            MessageNotFoundError: There is none.
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        body = self._messages.one(user_id, conversation_id, seq)
        if body["sender_id"] == user_id:
            raise SelfError("seq: expected a message of another user")
        return self._reports.add(
            Report(
                id=report_id,
                reporter_id=user_id,
                user_id=body["sender_id"],
                conversation_id=conversation_id,
                seq=seq,
                message=dump(body),
                reason=reason,
                created_at=self._now(),
            )
        )

    def page(
        self, ctx: Context, status: ReportStatus, *, after: Position | None, limit: int
    ) -> tuple[list[Report], Position | None]:
        """Some reports, the oldest first; they hold what people wrote, so reading is logged."""
        with self._audit.action(ctx, "reports.read", status=status.value):
            return self._reports.page(status, after=after, limit=limit)

    def resolve(self, ctx: Context, report_id: str, note: str) -> Report:
        """Notes that an open report was dealt with.

        Raises:
            NotFoundError: There is no such report.
            ConflictError: Somebody else was faster.
        """
        with self._audit.action(ctx, "report.resolve", report_id, note=note):
            done = self._reports.resolve(report_id, by=ctx.user or "", at=self._now(), note=note)
            report = self._reports.get(report_id)
            if report is None:
                raise NotFoundError(f"there is no report {report_id}")
            if not done:
                raise ConflictError(f"the report was resolved by {report.resolved_by}")
        return report

    def _now(self) -> str:
        return rfc3339(self._clock())
