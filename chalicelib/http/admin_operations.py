"""Broadcasts, dead letters and the audit log: role admin only."""

from __future__ import annotations

import json
from typing import Any

from chalicelib import bootstrap_admin as operators
from chalicelib.errors import (
    ConflictError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from chalicelib.http import paging
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    integer,
    nullable,
    obj,
    open_object,
    page_of,
    string,
    timestamp,
)
from chalicelib.models import AuditEntry, DeadLetter, Notice, rfc3339

api = Api("admin")

_RAW_CHARACTERS = 1000  # a page of large records must stay below what a function may answer

NOTICE = obj("Notice", id=string(), content=string(), created_at=timestamp())
DEAD_LETTER = obj(
    "DeadLetter",
    id=string(),
    topic=string(),
    partition=integer(minimum=0),
    offset=integer(minimum=0),
    name=string(description="the task or event; empty where the record could not be read"),
    listener=string(description="the only listener that gave the event up, or empty"),
    key=string(),
    error=string(),
    parked_at=timestamp(),
    trace_id=string(),
    args=nullable(open_object()),
    raw=string(description="the beginning of a record that could not be read"),
    truncated=array(string(description="what was too large to be kept whole")),
    replayable=boolean(),
)
AUDIT_ENTRY = obj(
    "AuditEntry",
    id=string(),
    at=timestamp(),
    actor=string(description="a user's id, or `cli:` and an account of the machine"),
    action=string(),
    target=string(),
    result=string(description="`started`, `done`, or the code of the error"),
    trace_id=string(),
    details=open_object(),
)


@api.route(
    "POST",
    "/v1/admin/broadcasts",
    summary="Sends a notice to everybody who is connected.",
    role="admin",
    body=obj("Broadcast", content=string(min_length=1)),
    status=202,
    answer=NOTICE,
    errors=(TooLargeError, UnavailableError),
    idempotent=True,
)
def broadcast(call: Call) -> JsonObject:
    """Enqueues a notice."""
    return _notice(
        operators.broadcasts().send(call.ctx, call.body["content"], notice_id=call.operation_id)
    )


@api.route(
    "GET",
    "/v1/admin/dead-letters",
    summary="Records that could not succeed, by topic in order of partition and offset.",
    role="admin",
    query=paging.PAGE,
    answer=page_of("DeadLetters", DEAD_LETTER),
)
def dead_letters(call: Call) -> JsonObject:
    """One page of the dead letters."""
    after = paging.decode("dead-letters", call.query.get("cursor"))
    found, position = operators.dead_letters().page(
        call.ctx, after=tuple(after) if after else None, limit=call.query["limit"]
    )
    return paging.page(map(shown, found), "dead-letters", position)


@api.route(
    "POST",
    "/v1/admin/dead-letters/{letter_id}/replay",
    summary="Sends a record to its topic again, behind what came since, and forgets the letter.",
    role="admin",
    status=202,
    answer=DEAD_LETTER,
    errors=(NotFoundError, ConflictError, UnavailableError),
    idempotent=True,
)
def replay(call: Call) -> JsonObject:
    """Replays a dead letter."""
    return shown(operators.dead_letters().replay(call.ctx, call.path["letter_id"]))


@api.route(
    "GET",
    "/v1/admin/audit-log",
    summary="What operators did, the newest first.",
    role="admin",
    query=paging.PAGE,
    answer=page_of("AuditLog", AUDIT_ENTRY),
)
def audit_log(call: Call) -> JsonObject:
    """One page of the audit log."""
    before = paging.decode("audit-log", call.query.get("cursor"))
    found, position = operators.audit().page(before=before, limit=call.query["limit"])
    return paging.page(map(_entry, found), "audit-log", position)


def shown(letter: DeadLetter) -> JsonObject:
    """A dead letter as operators see it."""
    return {
        "id": letter.id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "name": letter.name,
        "listener": letter.listener,
        "key": letter.key,
        "error": letter.error,
        "parked_at": rfc3339(letter.parked_at),
        "trace_id": letter.trace_id,
        "args": None if "args" in letter.truncated else _parsed(letter.args),
        "raw": letter.raw.decode(errors="replace")[:_RAW_CHARACTERS],
        "truncated": sorted(letter.truncated),
        "replayable": not letter.lost,
    }


def _parsed(args: str) -> Any:
    """Python writes and reads NaN, which is no JSON: it is shown as text."""
    return json.loads(args, parse_constant=str)


def _notice(one: Notice) -> JsonObject:
    return {"id": one.id, "content": one.content, "created_at": one.created_at}


def _entry(one: AuditEntry) -> JsonObject:
    return {
        "id": one.id,
        "at": one.at,
        "actor": one.actor,
        "action": one.action,
        "target": one.target,
        "result": one.result,
        "trace_id": one.trace_id,
        "details": dict(one.details),
    }
