"""What becomes of messages after they were stored: edits, recalls, reactions, pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_SHOWN_REACTORS = 20  # user ids beside the count of an emoji


class ChangeKind(StrEnum):
    """What is done to a message."""

    EDIT = "edit"
    RECALL = "recall"
    REACT = "react"
    EXPIRE = "expire"  # by the server, when its time has come


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An accepted change of one message.

    Attributes:
        at: When it was accepted (RFC 3339); an older change never undoes a newer one.
        id: Decides between two of the same moment.
        content: The new one, of an edit; else empty.
        emoji: Of a reaction; else empty.
        remove: Whether the reaction goes.
    """

    conversation_id: str
    seq: int
    kind: ChangeKind
    user_id: str
    at: str
    id: str
    content: str
    emoji: str
    remove: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    """Who reacted with an emoji: how many, and some of them in order of their ids."""

    count: int = 0
    user_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnReaction:
    """What a user last did with an emoji, and when; one that was taken back is kept too."""

    at: str
    id: str
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a message for everybody.

    Attributes:
        version: How often it was written; 0 where it is not stored.
        content: That of the last edit, None without one.
        edited_at: When that was accepted.
        edit_id: The id of that change.
    """

    conversation_id: str
    seq: int
    version: int = 0
    content: str | None = None
    edited_at: str = ""
    edit_id: str = ""
    reactions: Mapping[str, Reaction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMarks:
    """What one user did with a message, by emoji, and whether it is hidden from them."""

    conversation_id: str
    user_id: str
    seq: int
    version: int = 0
    reactions: Mapping[str, OwnReaction] = field(default_factory=dict)
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A message that is kept in sight."""

    seq: int
    pinned_by: str
    pinned_at: str
