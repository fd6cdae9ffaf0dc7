"""Reports to moderators; dealing with them needs the role moderator or admin."""

from __future__ import annotations

import json

from chalicelib import bootstrap_integration as integration
from chalicelib.errors import (
    ConflictError,
    ConversationNotFoundError,
    MessageNotFoundError,
    NotFoundError,
    NotMemberError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.http import paging
from chalicelib.http.message_schema import ANY_SEQ, ID, MESSAGE
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    any_of,
    integer,
    nullable,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.logic.reports import ROLE
from chalicelib.models import Report, ReportStatus

api = Api("reports")

_REASON = string(min_length=1, max_length=1000)
_STATUS = string(choices=[one.value for one in ReportStatus])
REPORT = obj(
    "Report",
    id=string(),
    reporter_id=string(),
    user_id=string(description="who is reported; of a message its sender"),
    conversation_id=nullable(string()),
    seq=nullable(integer(minimum=1)),
    message=nullable(MESSAGE),
    reason=string(),
    status=_STATUS,
    created_at=timestamp(),
    resolved_by=nullable(string()),
    resolved_at=nullable(timestamp()),
    note=string(),
)


@api.route(
    "POST",
    "/v1/reports",
    summary="Tells moderators of a user, or of a message that I may read; they are not told.",
    body=any_of(
        obj("NewReport", user_id=ID, reason=_REASON),
        obj("NewMessageReport", conversation_id=ID, seq=ANY_SEQ, reason=_REASON),
    ),
    status=201,
    answer=obj("TakenReport", id=string(), status=_STATUS, created_at=timestamp()),
    idempotent=True,
    errors=(
        SelfError,
        UserNotFoundError,
        ConversationNotFoundError,
        NotMemberError,
        MessageNotFoundError,
    ),
)
def report(call: Call) -> JsonObject:
    """Takes a report."""
    body, reports = call.body, integration.reports()
    if "user_id" in body:
        made = reports.report_user(call.operation_id, call.user_id, body["user_id"], body["reason"])
    else:
        made = reports.report_message(
            call.operation_id, call.user_id, body["conversation_id"], body["seq"], body["reason"]
        )
    return {"id": made.id, "status": made.status.value, "created_at": made.created_at}


@api.route(
    "GET",
    "/v1/admin/reports",
    summary="Reports with one status, the oldest first.",
    role=ROLE,
    query={
        "status": {**_STATUS, "default": ReportStatus.OPEN.value},
        **paging.PAGE,
    },
    answer=page_of("Reports", REPORT),
)
def all_reports(call: Call) -> JsonObject:
    """One page of the queue."""
    status = ReportStatus(call.query["status"])
    scope = f"reports {status.value}"
    found, position = integration.reports().page(
        call.ctx,
        status,
        after=paging.decode(scope, call.query.get("cursor")),
        limit=call.query["limit"],
    )
    return paging.page(map(_shown, found), scope, position)


@api.route(
    "PATCH",
    "/v1/admin/reports/{report_id}",
    summary="Notes that a report was dealt with.",
    role=ROLE,
    body=obj(
        "Resolution",
        status=string(choices=[ReportStatus.RESOLVED.value]),
        note=optional(string(max_length=1000)),
    ),
    answer=REPORT,
    errors=(NotFoundError, ConflictError),
)
def resolve(call: Call) -> JsonObject:
    """Resolves a report."""
    note = call.body.get("note", "")
    return _shown(integration.reports().resolve(call.ctx, call.path["report_id"], note))


def _shown(one: Report) -> JsonObject:
    return {
        "id": one.id,
        "reporter_id": one.reporter_id,
        "user_id": one.user_id,
        "conversation_id": one.conversation_id or None,
        "seq": one.seq or None,
        "message": json.loads(one.message) if one.message else None,
        "reason": one.reason,
        "status": one.status.value,
        "created_at": one.created_at,
        "resolved_by": one.resolved_by or None,
        "resolved_at": one.resolved_at or None,
        "note": one.note,
    }
