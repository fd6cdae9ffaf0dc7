"""Accepting messages, and reading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.change_frames import DraftOptions
from chalicelib.context import Context
from chalicelib.errors import IMError, UnavailableError
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.access import Access
from chalicelib.models import ConversationType, Placed, message_id, rfc3339


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


class Reader(Protocol):
    """Messages as a user sees them."""

    def after(self, user_id: str, conversation_id: str, seq: int, limit: int) -> list[Placed]: ...
    def before(
        self, user_id: str, conversation_id: str, seq: int | None, limit: int
    ) -> list[Placed]: ...


class Options(Protocol):
    """What a message may have beside its content."""

    def members(
        self, user_id: str, conversation_id: str, options: DraftOptions, created_at: str
    ) -> Mapping[str, Any]: ...


class Acceptance(Protocol):
    """Has messages reviewed before they are accepted."""

    def is_on(self) -> bool: ...
    def review(
        self, ctx: Context, kind: str, messages: Sequence[Mapping[str, Any]], /
    ) -> Sequence[IMError | Mapping[str, Any]]: ...


class MessageService:
    """Takes messages in: checked here, once; after that they are only ever delivered."""

    def __init__(
        self,
        *,
        access: Access,
        submit: Submitter,
        options: Options,
        reader: Reader,
        clock: Callable[[], float],
        acceptance: Acceptance | None = None,
        refer: Callable[[str, str], None] | None = None,
    ) -> None:
        self._access = access
        self._submit = submit
        self._options = options
        self._reader = reader
        self._clock = clock
        self._acceptance = acceptance
        self._refer = refer

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
        if self._acceptance and groups and self._acceptance.is_on():
            results = _reviewed(ctx, self._acceptance, groups, results)
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
        start = self._access.beginning(user_id, conversation_id)
        if after is not None:
            found = self._reader.after(user_id, conversation_id, max(after, start), limit)
            return [one for one in found if before is None or one.seq < before]
        found = self._reader.before(user_id, conversation_id, before, limit)
        return [one for one in found if one.seq > start]

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
            conversation_id, kind = self._resolve(user_id, draft, groups)
            more = draft.options and self._options.members(
                user_id, conversation_id, draft.options, created_at
            )
            identity = message_id(user_id, conversation_id, draft.client_msg_id)
            if self._refer and more and "attachment" in more:
                self._refer(more["attachment"]["id"], identity)
        except UnavailableError:
            raise
        except IMError as error:
            return Rejected(client_msg_id=draft.client_msg_id, error=error)
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
        if more:
            body |= more
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

    def _resolve(
        self, user_id: str, draft: Draft, groups: Mapping[str, Mapping[str, Any]]
    ) -> tuple[str, ConversationType]:
        if accepted := groups.get(draft.conversation_id):  # decided for another one of this frame
            return draft.conversation_id, ConversationType(accepted["type"])
        return self._access.resolve(user_id, draft)


def _reviewed(
    ctx: Context,
    acceptance: Acceptance,
    groups: dict[str, dict[str, Any]],
    results: Sequence[Accepted | Rejected],
) -> list[Accepted | Rejected]:
    """Takes out of ``groups`` what is refused, and alters the others."""
    bodies = [body for group in groups.values() for body in group["messages"]]
    refused: dict[str, IMError] = {}
    for body, verdict in zip(bodies, acceptance.review(ctx, "send", bodies), strict=True):
        if isinstance(verdict, IMError):
            refused[body["id"]] = verdict
        else:
            body.update(verdict)
    for conversation_id, group in list(groups.items()):
        group["messages"] = [body for body in group["messages"] if body["id"] not in refused]
        if not group["messages"]:
            del groups[conversation_id]
    return [
        Rejected(client_msg_id=one.client_msg_id, error=refused[one.message_id])
        if isinstance(one, Accepted) and one.message_id in refused
        else one
        for one in results
    ]
