"""Files that belong to messages, or to profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An upload, as its owner declared it.

    Attributes:
        created_at: Unix seconds.
        is_kept: Whether the stored object was found to be as declared; it is kept from then on.
        is_public: Whether it is an avatar, which everybody may see.
        is_removed: No message has it any more, and it is about to go.
    """

    id: str
    owner_id: str
    name: str
    size: int
    content_type: str
    created_at: float
    is_kept: bool = False
    is_public: bool = False
    is_removed: bool = False

    def body(self) -> dict[str, str | int]:
        """The member ``attachment`` of a message."""
        return {
            "id": self.id,
            "name": self.name,
            "size": self.size,
            "content_type": self.content_type,
        }


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an object is to be put, with exactly these headers."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What stands in the bucket."""

    size: int
    content_type: str
