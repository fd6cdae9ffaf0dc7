"""Exporting a user's data: a workflow of small steps, each of which may be repeated.

The row of an export says which step is next. A step reads some of the document and then moves the
row on, under the condition that nobody else has: so a step that comes again, after a crash or by a
user who asks again, changes nothing, and the one that was lost is found by whoever asks next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from chalicelib.context import Context
from chalicelib.logic.export_document import Position
from chalicelib.logic.friends import Tell
from chalicelib.models import Export, ExportStatus, rfc3339

KEPT_SECONDS = 24 * 3600  # then it is deleted, and may be asked for anew
LINK_SECONDS = 3600  # a link signed by a Lambda function ends with the function's credentials
STALLED_SECONDS = 60
PART_BYTES = 5 * 2**20  # S3 quota: every part but the last is at least so large


class Exports(Protocol):
    """The stored exports, one a user."""

    def get(self, user_id: str) -> Export | None: ...
    def replace(self, old: Export | None, new: Export) -> bool: ...


class Files(Protocol):
    """Where documents are put together, and downloaded from."""

    def begin(self, key: str) -> str: ...
    def add(self, key: str, upload_id: str, number: int, data: bytes) -> str: ...
    def complete(self, key: str, upload_id: str, parts: Sequence[str]) -> None: ...
    def put(self, key: str, data: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def link(self, key: str, name: str, seconds: int) -> str: ...


class Document(Protocol):
    """The document's text, page by page."""

    def read(
        self, user_id: str, position: Position | None = None
    ) -> tuple[str, Position | None]: ...


class Enqueue(Protocol):
    """Has a step carried out."""

    def __call__(self, ctx: Context, user_id: str, export_id: str, step: int, /) -> None: ...


class ExportService:
    """Makes exports (requirement TASK-6)."""

    def __init__(
        self,
        *,
        exports: Exports,
        files: Callable[[], Files],
        document: Document,
        enqueue: Enqueue,
        tell: Tell,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._exports = exports
        self._files = files
        self._document = document
        self._enqueue = enqueue
        self._tell = tell
        self._clock = clock
        self._new_id = new_id
        self._part_bytes = part_bytes

    def ask(self, ctx: Context, user_id: str) -> Export:
        """A user's export: the one that stands or runs, else one that begins now.

        One that has not gone on for a minute is told to.
        """
        now = self._clock()
        export = self._exports.get(user_id)
        if export is None or export.expires_at <= now:
            fresh = Export(
                id=self._new_id(),
                user_id=user_id,
                started_at=now,
                changed_at=0.0,
                expires_at=now + KEPT_SECONDS,
            )
            if not self._exports.replace(export, fresh):
                return self._exports.get(user_id) or fresh
            export = fresh
        if export.status is ExportStatus.RUNNING and now - export.changed_at >= STALLED_SECONDS:
            self._enqueue(ctx, user_id, export.id, export.step)
            # Where a step was faster than this, the row says so, and stays.
            self._exports.replace(export, replace(export, changed_at=now))
        return export

    def link(self, export: Export) -> tuple[str, float]:
        """A link to a finished export, and until when it is good, Unix seconds."""
        now = self._clock()
        until = min(now + LINK_SECONDS, export.expires_at)
        return self._files().link(_key(export), "lambchat-data.json", int(until - now)), until

    def carry_out(self, user_id: str, export_id: str, step: int) -> Export | None:
        """Carries a step out, unless that was done.

        Returns:
            The export as it stands then; None when nothing follows from this step.
        """
        export = self._running(user_id, export_id)
        if export is None:
            return None
        if export.step == step and not export.is_read:
            read = self._read(export)
            if not self._exports.replace(export, read):
                return None
            return read
        return export if export.is_read or export.step == step + 1 else None

    def finish(self, user_id: str, export_id: str) -> Export | None:
        """Makes the document of its parts and tells the user; None when it is no longer wanted."""
        export = self._exports.get(user_id)
        if export is None or export.id != export_id:
            return None
        if export.status is ExportStatus.RUNNING:
            self._files().complete(_key(export), export.upload_id, export.parts)
            now = self._clock()
            done = replace(
                export, status=ExportStatus.DONE, changed_at=now, expires_at=now + KEPT_SECONDS
            )
            if not self._exports.replace(export, done):
                return None
            export = done
        told = {"export_id": export.id, "expires_at": rfc3339(export.expires_at)}
        self._tell((user_id,), "data.exported", told)
        return export

    def _running(self, user_id: str, export_id: str) -> Export | None:
        export = self._exports.get(user_id)
        if export is None or export.id != export_id or export.status is not ExportStatus.RUNNING:
            return None
        return export

    def _read(self, export: Export) -> Export:
        position = json.loads(export.position) if export.position else None
        text, following = self._document.read(export.user_id, position)
        data = self._rest(export) + text.encode()
        upload_id = export.upload_id or self._files().begin(_key(export))
        parts = export.parts
        if following is None or len(data) >= self._part_bytes:
            tag = self._files().add(_key(export), upload_id, len(parts) + 1, data)
            parts, data = (*parts, tag), b""
        if following is not None:
            self._files().put(_rest_key(export, export.step + 1), data)
        return replace(
            export,
            changed_at=self._clock(),
            upload_id=upload_id,
            step=export.step + 1,
            position=json.dumps(following),
            is_read=following is None,
            parts=parts,
        )

    def _rest(self, export: Export) -> bytes:
        """What was read and is too little for a part."""
        return self._files().get(_rest_key(export, export.step)) if export.step else b""


def _key(export: Export) -> str:
    return f"{export.user_id}/{export.id}.json"


def _rest_key(export: Export, step: int) -> str:
    return f"{export.user_id}/{export.id}/{step}"
