"""The composition root's part for operators; see `bootstrap` for its rules."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_tasks as tasks

if TYPE_CHECKING:
    from chalicelib.logic.audit import AuditService
    from chalicelib.logic.bans import BanService
    from chalicelib.logic.broadcasts import BroadcastService
    from chalicelib.logic.counters import CountersService
    from chalicelib.logic.dead_letters import DeadLetterService
    from chalicelib.repo.audit_log import AuditLogRepository
    from chalicelib.repo.dead_letters import DeadLetterRepository
    from chalicelib.repo.totals import TotalsRepository


@cache
def audit_table() -> AuditLogRepository:
    """What operators did."""
    from chalicelib.repo.audit_log import AuditLogRepository

    return AuditLogRepository(bootstrap.store(), kept_days=_kept_days())


@cache
def dead_letters_table() -> DeadLetterRepository:
    """Records that could not succeed."""
    from chalicelib.repo.dead_letters import DeadLetterRepository

    return DeadLetterRepository(bootstrap.store())


@cache
def totals() -> TotalsRepository:
    """How much there is."""
    from chalicelib.repo.totals import TotalsRepository

    return TotalsRepository(bootstrap.store())


@cache
def audit() -> AuditService:
    """Writes and reads the audit log."""
    from chalicelib.logic.audit import AuditService
    from chalicelib.logic.ids import new_id

    return AuditService(audit_table(), kept_days=_kept_days(), clock=time.time, new_id=new_id)


@cache
def bans() -> BanService:
    """Keeps users out."""
    from chalicelib.logic.bans import BanService

    return BanService(
        bans=accounts.bans_table(),
        users=accounts.users_table(),
        sessions=accounts.sessions(),
        audit=audit(),
        clock=time.time,
    )


@cache
def broadcasts() -> BroadcastService:
    """Sends notices to everybody."""
    from chalicelib.logic.broadcasts import BroadcastService

    return BroadcastService(
        outbox=bootstrap.outbox(),
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        audit=audit(),
        clock=time.time,
    )


@cache
def dead_letters() -> DeadLetterService:
    """Lists and replays dead letters."""
    from chalicelib.broker import EVENTS, TASKS
    from chalicelib.logic.dead_letters import DeadLetterService

    return DeadLetterService(
        dead_letters_table(),
        topics=(TASKS, EVENTS),
        resend=bootstrap.outbox().resend,
        audit=audit(),
    )


@cache
def counters() -> CountersService:
    """Reads the numbers that operators look at."""
    from chalicelib.broker import EVENTS, TASKS
    from chalicelib.logic.counters import CountersService

    return CountersService(
        totals=totals(),
        messages_of_day=tasks.statistics().of_day,
        breakers=tasks.breaker_reports().report,
        topics=(TASKS, EVENTS),
        clock=time.time,
    )


def _kept_days() -> int:
    return int(os.environ.get("AUDIT_LOG_DAYS", "400"))
