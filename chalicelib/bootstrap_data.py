"""The composition root's part for users' data, exported or erased; see `bootstrap`."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_identity as identity
from chalicelib import bootstrap_messaging as messaging
from chalicelib import bootstrap_people as people
from chalicelib import bootstrap_push as push

if TYPE_CHECKING:
    from chalicelib.logic.erasure import ErasureService
    from chalicelib.logic.export import ExportService
    from chalicelib.repo.export_files import ExportFiles
    from chalicelib.repo.exports import ExportRepository


@cache
def exports_table() -> ExportRepository:
    """How far exports have come."""
    from chalicelib.repo.exports import ExportRepository

    return ExportRepository(bootstrap.store())


@cache
def export_files() -> ExportFiles:
    """The bucket with the exported documents."""
    from chalicelib.repo.export_files import ExportFiles

    return ExportFiles()


@cache
def exports() -> ExportService:
    """Exports users' data."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.logic.export import ExportService
    from chalicelib.logic.export_document import ExportDocument
    from chalicelib.logic.ids import new_id

    document = ExportDocument(
        users=accounts.users_table(),
        sessions=bootstrap.sessions_table(),
        relations=people.relations_table(),
        memberships=bootstrap.members_table(),
        reader=reader(),
        settings=bootstrap.settings_table(),
        scheduled=messaging.scheduled_messages_table(),
        push_devices=push.push_tokens_table(),
        clock=time.time,
    )
    return ExportService(
        exports=exports_table(),
        files=export_files,
        document=document,
        enqueue=bootstrap.outbox().export_data,
        tell=bootstrap.notices().tell,
        clock=time.time,
        new_id=new_id,
    )


@cache
def erasure() -> ErasureService:
    """Deletes accounts."""
    from chalicelib.bootstrap_mentions import mentions_table
    from chalicelib.logic.erasure import ErasureService
    from chalicelib.repo.relation_rows import RelationRowRepository

    return ErasureService(
        users=accounts.users_table(),
        registry=bootstrap.connections_table(),
        sessions=accounts.sessions(),
        identities=identity.identities_table(),
        relations=people.relations_table(),
        rows=RelationRowRepository(bootstrap.store()),
        memberships=bootstrap.members_table(),
        pointers=bootstrap.offline_table(),
        mentions=mentions_table(),
        settings=bootstrap.settings_table(),
        scheduled=messaging.scheduled_messages_table(),
        exports=exports_table(),
        files=export_files,
        enqueue=bootstrap.outbox().erase_account,
        tell=bootstrap.notices().tell,
        clock=time.time,
    )
