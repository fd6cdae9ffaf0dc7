"""Accepting messages, and reading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import IMError, UnavailableError
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.access import Access
from chalicelib.models import Placed, message_id, rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a sender is told once Kafka has the message."""

    client_msg_id: str
    message_id: str
    conversation_id: str
    created_at: str


class Submitter(Protocol):
    """Hands accepted messages to Kafka, all or an error."""

    def __call__(
        self, ctx: Context, submissions: Sequence[tuple[str, Mapping[str, Any]]], /
    ) -> None: ...


class History(Protocol):
    """The stored logs."""

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...
    def before(self, conversation_id: str, seq: int | None, limit: int) -> list[Placed]: ...


class MessageService:
    """Takes messages in: checked here, once; after that they are only ever delivered."""

    def __init__(
        self,
        *,
        access: Access,
        submit: Submitter,
        history: History,
        clock: Callable[[], float],
    ) -> None:
        self._access = access
        self._submit = submit
        self._history = history
        self._clock = clock

    def send_message(
        self, ctx: Context, user_id: str, drafts: Sequence[Draft | Rejected]
    ) -> list[Accepted | Rejected]:
        """Accepts messages; when this returns, Kafka has the accepted ones on all replicas.

        Raises:
            UnavailableError: Kafka did not confirm; they may have been stored: send again.
        """
        created_at = rfc3339(self._clock())
        groups: dict[str, dict[str, Any]] = {}
        results = [self._accept(user_id, draft, created_at, groups) for draft in drafts]
        if groups:
            self._submit(ctx, list(groups.items()))
        return results

    def get_messages(
        self,
        user_id: str,
        conversation_id: str,
        *,
        before: int | None,
        after: int | None,
        limit: int,
    ) -> list[Placed]:
        """A page of history: after a number oldest first, else the nearest before one first.

        Raises:
            ConversationNotFoundError, NotMemberError: The user may not read it.
        """
        self._access.check(user_id, conversation_id)
        if after is not None:
            found = self._history.after(conversation_id, after, limit)
            return [one for one in found if before is None or one.seq < before]
        return self._history.before(conversation_id, before, limit)

    def _accept(
        self,
        user_id: str,
        draft: Draft | Rejected,
        created_at: str,
        groups: dict[str, dict[str, Any]],
    ) -> Accepted | Rejected:
        if isinstance(draft, Rejected):
            return draft
        try:
            conversation_id, kind = self._access.resolve(user_id, draft)
        except UnavailableError:
            raise
        except IMError as error:
            return Rejected(client_msg_id=draft.client_msg_id, error=error)
        identity = message_id(user_id, conversation_id, draft.client_msg_id)
        body = {
            "id": identity,
            "conversation_id": conversation_id,
            "sender_id": user_id,
            "seq": 0,
            "type": draft.content_type,
            "content": draft.content,
            "created_at": created_at,
            "client_msg_id": draft.client_msg_id,
        }
        group = groups.setdefault(
            conversation_id, {"type": kind.value, "sender_id": user_id, "messages": []}
        )
        group["messages"].append(body)
        return Accepted(
            client_msg_id=draft.client_msg_id,
            message_id=identity,
            conversation_id=conversation_id,
            created_at=created_at,
        )
