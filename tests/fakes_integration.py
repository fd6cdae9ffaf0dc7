"""Fakes at the ports of webhooks and bots."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chalicelib.models import Bot, Placed, Report, ReportStatus, Webhook

KEY = b"k" * 32


class FakeWebhooks:
    """Receivers in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Webhook] = {}

    def all(self) -> list[Webhook]:
        return [self.rows[key] for key in sorted(self.rows)]

    def put(self, webhook: Webhook, *, new: bool) -> bool:
        if not new and webhook.id not in self.rows:
            return False
        self.rows[webhook.id] = webhook
        return True

    def delete(self, webhook_id: str) -> None:
        self.rows.pop(webhook_id, None)


class FakeBots:
    """Bots in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Bot] = {}

    def all(self) -> list[Bot]:
        return [self.rows[key] for key in sorted(self.rows)]

    def get(self, user_id: str) -> Bot | None:
        return self.rows.get(user_id)

    def put(self, bot: Bot, *, new: bool) -> bool:
        if not new and bot.user_id not in self.rows:
            return False
        self.rows[bot.user_id] = bot
        return True

    def delete(self, user_id: str) -> None:
        self.rows.pop(user_id, None)


class FakeReader:
    """Messages as they are now; remembers how often it was asked."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}
        self.asked = 0

    def add(self, conversation_id: str, seq: int, sender_id: str, **more: Any) -> dict[str, Any]:
        body = {
            "id": f"m{seq}",
            "conversation_id": conversation_id,
            "sender_id": sender_id,
            "seq": seq,
            "type": "text",
            "content": f"text {seq}",
            "created_at": "2026-11-21T08:00:00.000Z",
            **more,
        }
        self.rows[conversation_id, seq] = body
        return body

    def at(self, _user_id: str, conversation_id: str, seqs: Iterable[int]) -> dict[int, Placed]:
        self.asked += 1
        found = {seq: self.rows.get((conversation_id, seq)) for seq in seqs}
        return {
            seq: Placed(conversation_id, seq, one["sender_id"], one["id"], json.dumps(one))
            for seq, one in found.items()
            if one
        }


def webhook(webhook_id: str = "w1", **more: Any) -> Webhook:
    """A receiver of messages."""
    made = {
        "url": "https://hooks.example/in",
        "secret": "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "events": ("message.stored",),
        "created_at": "2026-11-21T08:00:00.000Z",
        "created_by": "admin",
        **more,
    }
    return Webhook(id=webhook_id, **made)


def bot(user_id: str = "robot", **more: Any) -> Bot:
    """A bot whose messages are posted."""
    made = {
        "username": f"{user_id}-name",
        "token_digest": "d" * 64,
        "url": "https://bots.example/in",
        "secret": webhook().secret,
        "created_at": "2026-11-21T08:00:00.000Z",
        "created_by": "admin",
        **more,
    }
    return Bot(user_id=user_id, **made)


class FakeReports:
    """Reports in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Report] = {}

    def add(self, report: Report) -> Report:
        return self.rows.setdefault(report.id, report)

    def get(self, report_id: str) -> Report | None:
        return self.rows.get(report_id)

    def resolve(self, report_id: str, *, by: str, at: str, note: str) -> bool:
        old = self.rows.get(report_id)
        if old is None or old.status is not ReportStatus.OPEN:
            return False
        done = {"resolved_by": by, "resolved_at": at, "note": note}
        self.rows[report_id] = replace(old, status=ReportStatus.RESOLVED, **done)
        return True

    def page(
        self, status: ReportStatus, *, after: dict[str, Any] | None, limit: int
    ) -> tuple[list[Report], dict[str, Any] | None]:
        found = [one for one in self.rows.values() if one.status is status]
        found.sort(key=lambda one: one.created_at)
        start = after["start"] if after else 0
        more = {"start": start + limit} if len(found) > start + limit else None
        return found[start : start + limit], more
