"""Receivers of webhooks: what operators add, change and remove."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import LimitReachedError, NotFoundError
from chalicelib.logic.audit import AuditService
from chalicelib.models import Webhook, rfc3339

GRACE_SECONDS = 86_400  # in which a receiver comes to know its new secret
MAX_WEBHOOKS = 100  # each event is compared with all of them


class Webhooks(Protocol):
    """The stored receivers, read strongly."""

    def all(self) -> list[Webhook]: ...
    def put(self, webhook: Webhook, *, new: bool) -> bool: ...
    def delete(self, webhook_id: str) -> None: ...


class WebhookService:
    """Administers receivers; each change is in force within seconds, and in the audit log.

    Args:
        webhooks: The table.
        require: Refuses a URL that may not be called.
        audit: The audit log.
        clock: Unix seconds.
        random_bytes: Makes so many.
    """

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        require: Callable[[str], None],
        audit: AuditService,
        clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._webhooks = webhooks
        self._require = require
        self._audit = audit
        self._clock = clock
        self._random_bytes = random_bytes

    def add(
        self,
        ctx: Context,
        *,
        webhook_id: str,
        url: str,
        events: Sequence[str],
        description: str = "",
    ) -> Webhook:
        """Adds a receiver; its secret is in the answer, and in no other.

        Raises:
            InvalidFieldError: The URL may not be called.
            LimitReachedError: There are enough.
        """
        with self._audit.action(ctx, "webhook.add", webhook_id, events=" ".join(events)):
            self._require(url)
            if len(self._webhooks.all()) >= MAX_WEBHOOKS:
                raise LimitReachedError(f"there are {MAX_WEBHOOKS} webhooks: remove one first")
            webhook = Webhook(
                id=webhook_id,
                url=url,
                secret=new_secret(self._random_bytes),
                events=tuple(dict.fromkeys(events)),
                description=description,
                created_at=rfc3339(self._clock()),
                created_by=ctx.user or "",
            )
            self._webhooks.put(webhook, new=True)
        return webhook

    def all(self) -> list[Webhook]:
        """Every receiver."""
        return self._webhooks.all()

    def get(self, webhook_id: str) -> Webhook:
        """One of them.

        Raises:
            NotFoundError: There is none.
        """
        found = [one for one in self._webhooks.all() if one.id == webhook_id]
        if not found:
            raise NotFoundError(f"there is no webhook {webhook_id}")
        return found[0]

    def change(self, ctx: Context, webhook_id: str, changes: dict[str, Any]) -> Webhook:
        """Changes some of ``url``, ``events``, ``description`` and ``active``.

        Raises:
            NotFoundError: There is none.
            InvalidFieldError: The URL may not be called.
        """
        with self._audit.action(ctx, "webhook.change", webhook_id, members=" ".join(changes)):
            if "url" in changes:
                self._require(changes["url"])
            if "events" in changes:
                changes = {**changes, "events": tuple(dict.fromkeys(changes["events"]))}
            webhook = replace(self.get(webhook_id), **changes)
            if not self._webhooks.put(webhook, new=False):
                raise NotFoundError(f"there is no webhook {webhook_id}")
        return webhook

    def rotate(self, ctx: Context, webhook_id: str) -> Webhook:
        """Gives a receiver another secret; posts are signed with the old one too for a day.

        Raises:
            NotFoundError: There is none.
        """
        with self._audit.action(ctx, "webhook.rotate", webhook_id):
            old = self.get(webhook_id)
            webhook = replace(
                old,
                secret=new_secret(self._random_bytes),
                old_secret=old.secret,
                old_secret_until=self._clock() + GRACE_SECONDS,
            )
            if not self._webhooks.put(webhook, new=False):
                raise NotFoundError(f"there is no webhook {webhook_id}")
        return webhook

    def remove(self, ctx: Context, webhook_id: str) -> None:
        """Removes a receiver; what waits for another attempt is dropped. None is no fault."""
        with self._audit.action(ctx, "webhook.remove", webhook_id):
            self._webhooks.delete(webhook_id)


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """As Standard Webhooks has it: ``whsec_`` and the base64 of 24 to 64 bytes."""
    return "whsec_" + base64.b64encode(random_bytes(32)).decode()
