"""Telling of a change of a group: a system line in the conversation, and events to devices.

The line is written with the change, in the group's item, and stays there until Kafka has it:
whoever changes the group next, or repeats the request, hands it on first. Its id follows from the
group's version, so that a line which is handed on twice is stored once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.frames import dump
from chalicelib.logic.audiences import Audience
from chalicelib.logic.friends import Tell
from chalicelib.logic.messages import Submitter
from chalicelib.models import (
    ContentType,
    ConversationType,
    Group,
    GroupChange,
    message_id,
)


class Groups(Protocol):
    """The stored groups."""

    def handed_on(self, group: Group) -> None: ...


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


class Pointers(Protocol):
    """The stored pointers to missed messages."""

    def remove(self, pairs: Iterable[tuple[str, str]]) -> None: ...


class GroupNews:
    """Tells members; in a large group only those whom a change is about get an event."""

    def __init__(
        self,
        *,
        groups: Groups,
        audiences: Audiences,
        pointers: Pointers,
        submit: Submitter,
        tell: Tell,
    ) -> None:
        self._groups = groups
        self._audiences = audiences
        self._pointers = pointers
        self._submit = submit
        self._tell = tell

    def tell(self, ctx: Context, change: GroupChange, event: str, said: Mapping[str, Any]) -> None:
        """Tells of a change that was made; who is out of the group misses nothing any more.

        Raises:
            UnavailableError: Kafka has not taken the system line: it stays pending.
        """
        new, added = change.new, [row.user_id for row in change.added]
        members = set() if new.large else set(self._audiences.of((new.id,))[new.id].joined)
        gone = members if new.dismissed else change.removed
        if gone:
            self._pointers.remove((user_id, new.id) for user_id in gone)
        data = {"group_id": new.id, "name": new.name, **said}
        self._tell(members | {said["actor"], *said["users"]}, event, data)
        if added:
            opened = {"conversation_id": new.id, "type": ConversationType.GROUP.value}
            self._tell(added, "conversation.created", opened)
        self.hand_on(ctx, new)

    def hand_on(self, ctx: Context, group: Group) -> None:
        """Hands the pending system line, if there is one, to Kafka.

        Raises:
            UnavailableError: Kafka has not taken it: it stays pending.
        """
        if not group.pending:
            return
        line = json.loads(group.pending)
        kind = ConversationType.GROUP.value
        args = {"type": kind, "sender_id": line["sender_id"], "messages": [line]}
        self._submit(ctx, [(group.id, args)])
        self._groups.handed_on(group)


def system_line(group: Group, event: str, said: Mapping[str, Any]) -> str:
    """The message that says in the conversation what became of a group."""
    return dump(
        {
            # No user has an empty id, so nobody can take the place of a line with one of theirs.
            "id": message_id("", group.id, str(group.version)),
            "conversation_id": group.id,
            "sender_id": said["actor"],
            "seq": 0,
            "type": ContentType.SYSTEM.value,
            "content": dump({"event": event, **said}),
            "created_at": group.updated_at,
        }
    )
