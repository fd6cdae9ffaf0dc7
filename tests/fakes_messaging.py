"""Fakes at the ports of attachments and scheduled messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.models import (
    Attachment,
    ScheduledMessage,
    ScheduledStatus,
    StoredObject,
    Upload,
)
from chalicelib.repo.attachments import MAX_REFERENCES


class FakeAttachments:
    """Uploads in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Attachment] = {}
        self.messages: dict[str, set[str]] = {}
        self.shared: set[str] = set()
        self.step: Callable[[str], object] = lambda _name: None

    def add(self, attachment: Attachment, *, expires_at: float) -> None:
        assert expires_at > attachment.created_at
        self.rows.setdefault(attachment.id, attachment)

    def get(self, attachment_id: str) -> Attachment | None:
        return self.rows.get(attachment_id)

    def keep(self, attachment_id: str, *, is_public: bool) -> bool:
        row = self._there(attachment_id)
        if row is not None:
            public = is_public or row.is_public
            self.rows[attachment_id] = replace(row, is_kept=True, is_public=public)
        return row is not None

    def refer(self, attachment_id: str, message_id: str) -> bool:
        self.step("refer")
        if self._there(attachment_id):
            found = self.messages.setdefault(attachment_id, set())
            if len(found) < MAX_REFERENCES:
                found.add(message_id)
            else:
                self.shared.add(attachment_id)
        return self._there(attachment_id) is not None

    def release(self, attachment_id: str, message_id: str) -> None:
        self.step("release")
        self.messages.get(attachment_id, set()).discard(message_id)

    def seal(self, attachment_id: str, *, even_public: bool) -> bool:
        self.step("seal")
        row = self.rows.get(attachment_id)
        is_had = self.messages.get(attachment_id) or attachment_id in self.shared
        if row is None or is_had or (row.is_public and not even_public):
            return False
        self.rows[attachment_id] = replace(row, is_removed=True)
        return True

    def delete(self, attachment_id: str) -> None:
        self.step("delete")
        self.rows.pop(attachment_id, None)

    def _there(self, attachment_id: str) -> Attachment | None:
        row = self.rows.get(attachment_id)
        return None if row is None or row.is_removed else row


class FakeAttachmentFiles:
    """A bucket in memory; `looks` counts the calls that ask what was uploaded."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.kept: set[str] = set()
        self.looks = 0

    def upload(self, key: str, attachment: Attachment, seconds: int) -> Upload:
        headers = {"Content-Type": attachment.content_type}
        return Upload(f"https://files.example/{key}?for={seconds}", headers)

    def find(self, key: str) -> StoredObject | None:
        self.looks += 1
        return self.objects.get(key)

    def keep(self, key: str) -> bool:
        if key in self.objects:
            self.kept.add(key)
        return key in self.objects

    def page(self, prefix: str, *, after: str, limit: int) -> list[str]:
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        return keys[:limit]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def link(self, key: str, *, disposition: str, content_type: str, seconds: int) -> str:
        return f"https://files.example/{key}?{disposition}&{content_type}&{seconds}"


class FakeScheduledMessages:
    """Scheduled messages in memory; `step` runs before each write, and may raise or let others in.

    `records` is what goes to Kafka later, with its time.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], ScheduledMessage] = {}
        self.counts: dict[str, int] = {}
        self.records: list[tuple[bytes, float]] = []
        self.step: Callable[[str], object] = lambda _name: None

    def add(self, message: ScheduledMessage, record: bytes, *, max_pending: int) -> bool:
        self.step("add")
        key = (message.user_id, message.id)
        if key in self.rows or self.pending(message.user_id) >= max_pending:
            return False
        self.rows[key] = message
        self._count(message.user_id, 1)
        self.records.append((record, message.deliver_at))
        return True

    def get(self, user_id: str, scheduled_id: str) -> ScheduledMessage | None:
        return self.rows.get((user_id, scheduled_id))

    def pending(self, user_id: str) -> int:
        return self.counts.get(user_id, 0)

    def page(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ScheduledMessage], str | None]:
        rows = [
            row
            for (user, id_), row in sorted(self.rows.items())
            if user == user_id and id_ >= (start or "") and row.status is not ScheduledStatus.SENT
        ]
        return rows[:limit], rows[limit].id if len(rows) > limit else None

    def claim(self, message: ScheduledMessage) -> bool:
        self.step("claim")
        key = (message.user_id, message.id)
        stored = self.rows.get(key)
        if stored is None or stored.status is not ScheduledStatus.PENDING:
            return False
        self.rows[key] = replace(stored, status=ScheduledStatus.SENDING)
        self._count(message.user_id, -1)
        return True

    def finish(self, message: ScheduledMessage, *, expires_at: float) -> None:
        self.step("finish")
        assert expires_at > message.deliver_at
        if (message.user_id, message.id) in self.rows:
            self.rows[message.user_id, message.id] = message

    def remove(self, message: ScheduledMessage) -> bool:
        self.step("remove")
        key = (message.user_id, message.id)
        stored = self.rows.get(key)
        if stored is None or stored.status is not message.status:
            return False
        del self.rows[key]
        if message.status is ScheduledStatus.PENDING:
            self._count(message.user_id, -1)
        return True

    def erase(self, user_id: str) -> None:
        self.rows = {key: row for key, row in self.rows.items() if key[0] != user_id}
        self.counts.pop(user_id, None)

    def _count(self, user_id: str, by: int) -> None:
        self.counts[user_id] = self.pending(user_id) + by
