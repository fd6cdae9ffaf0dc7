"""Deleting an account: closed at once, then erased in small steps.

Every step may be repeated, and asks what is left rather than remember how far it came. All of them
are carried out twice: for some seconds other processes remember that the user existed, and what
was accepted before may still be delivered. What others have stays theirs: messages keep their
sender's id, and a block of the user stays in the list of who blocked. The name stays taken, so that
nobody can pass for who had it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import ConflictError
from chalicelib.logic.auth import ADMIN
from chalicelib.logic.friends import Tell
from chalicelib.logic.relations import Change, Relations, change
from chalicelib.logic.tokens import Identity
from chalicelib.models import FIRST_GROUP, ConversationMember, Relation, RelationRow, is_group

PAGE = 25  # rows a step: each of a relation is a transaction


class Users(Protocol):
    """The stored users."""

    def erase(self, user_id: str, at: datetime) -> None: ...


class Registry(Protocol):
    """Who exists, for those who write to them."""

    def close_user(self, user_id: str) -> None: ...


class Sessions(Protocol):
    """Ends sessions."""

    def end_all(self, user_id: str) -> None: ...


class Identities(Protocol):
    """Which accounts elsewhere lead to the user."""

    def forget(self, user_id: str) -> None: ...


class RelationRows(Protocol):
    """A user's rows of friends, blocks and requests."""

    def some(self, user_id: str, limit: int) -> Sequence[RelationRow]: ...
    def remove(self, rows: Sequence[RelationRow]) -> None: ...


class Memberships(Protocol):
    """A user's places in conversations."""

    def page_of_user(
        self, user_id: str, *, after: str, limit: int
    ) -> Sequence[ConversationMember]: ...
    def remove(self, pairs: Iterable[tuple[str, str]]) -> None: ...


class Pointers(Protocol):
    """A user's pointers to missed messages."""

    def some_of_user(self, user_id: str, limit: int) -> Sequence[str]: ...
    def remove(self, pairs: Iterable[tuple[str, str]]) -> None: ...


class Mentions(Protocol):
    """Where the user is mentioned."""

    def erase(self, user_id: str, limit: int) -> bool: ...


class Settings(Protocol):
    """What the user wants of conversations, and drafts."""

    def of_user(self, user_id: str) -> Iterable[str]: ...
    def remove(self, user_id: str, conversation_ids: Iterable[str]) -> None: ...


class Exports(Protocol):
    """The user's export."""

    def delete(self, user_id: str) -> None: ...


class Files(Protocol):
    """The files of exports."""

    def delete_all(self, prefix: str) -> None: ...


class Scheduled(Protocol):
    """The user's scheduled messages."""

    def erase(self, user_id: str) -> None: ...


class ErasureService:
    """Deletes accounts (requirement TASK-6)."""

    def __init__(
        self,
        *,
        users: Users,
        registry: Registry,
        sessions: Sessions,
        identities: Identities,
        relations: Relations,
        rows: RelationRows,
        memberships: Memberships,
        pointers: Pointers,
        mentions: Mentions,
        settings: Settings,
        scheduled: Scheduled,
        exports: Exports,
        files: Callable[[], Files],
        enqueue: Callable[[Context, str], None],
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._users = users
        self._registry = registry
        self._sessions = sessions
        self._identities = identities
        self._relations = relations
        self._rows = rows
        self._memberships = memberships
        self._pointers = pointers
        self._mentions = mentions
        self._settings = settings
        self._scheduled = scheduled
        self._exports = exports
        self._files = files
        self._enqueue = enqueue
        self._tell = tell
        self._clock = clock

    def begin(self, ctx: Context, identity: Identity) -> None:
        """Closes the account of who asks, and has it erased.

        Raises:
            ConflictError: They are an administrator.
        """
        if ADMIN in identity.roles:
            raise ConflictError("an administrator cannot go before somebody takes the role away")
        # First of all: whatever fails afterwards, the workflow does it.
        self._enqueue(ctx, identity.user_id)
        self.close(identity.user_id)

    def close(self, user_id: str) -> None:
        """Nobody logs in, is written to or is found under this account any more."""
        self._users.erase(user_id, datetime.fromtimestamp(self._clock(), UTC))
        self._registry.close_user(user_id)
        self._sessions.end_all(user_id)
        self._identities.forget(user_id)

    def erase_relations(self, user_id: str) -> bool:
        """Ends some friendships, requests and blocks; False when there were none left."""
        rows = self._rows.some(user_id, PAGE)
        for other_id in dict.fromkeys(row.other_id for row in rows):
            ended = change(self._relations, user_id, other_id, _without(user_id))
            if ended and any((row.kind, row.id) == ("friend", other_id) for row in rows):
                self._tell((other_id,), "friend.deleted", {"user_id": user_id})
        self._rows.remove(rows)  # requests that were answered, which no relation knows
        return bool(rows)

    def groups_of(self, user_id: str) -> list[str]:
        """Some groups that the user is in."""
        rows = self._memberships.page_of_user(user_id, after=FIRST_GROUP, limit=PAGE)
        return [row.conversation_id for row in rows if is_group(row.conversation_id)]

    def erase_conversations(self, user_id: str) -> bool:
        """Leaves some conversations that are no groups; False when there were none left."""
        page = self._memberships.page_of_user(user_id, after="", limit=PAGE)
        rows = [row for row in page if not is_group(row.conversation_id)]
        self._memberships.remove((row.conversation_id, user_id) for row in rows)
        self._settings.remove(user_id, self._settings.of_user(user_id))
        pointers = self._pointers.some_of_user(user_id, PAGE)
        self._pointers.remove((user_id, conversation_id) for conversation_id in pointers)
        return self._mentions.erase(user_id, PAGE) or bool(rows or pointers)

    def erase_exports(self, user_id: str) -> None:
        """Removes the user's export, whatever of one was begun, and what was to be sent later."""
        self._scheduled.erase(user_id)
        self._exports.delete(user_id)
        self._files().delete_all(f"{user_id}/")


def _without(user_id: str) -> Callable[[Relation], Change | None]:
    def decide(old: Relation) -> Change | None:
        new = replace(old, friends=False, requests={}, blocked_by=old.blocked_by - {user_id})
        return None if new == old else (new, ())

    return decide
