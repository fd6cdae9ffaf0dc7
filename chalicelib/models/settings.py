"""What a user wants of a conversation."""

from __future__ import annotations

from dataclasses import dataclass

FOREVER = 253_402_300_799.0  # Unix seconds: the last second of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSettings:
    """A user's settings of a conversation, the same on every device.

    Attributes:
        muted_until: Unix seconds; until then nothing of it is to make a noise.
        pinned: It stands before the others.
        hidden_seq: It is not listed until it has a message after this number.
        draft: What the user has begun to write.
        draft_at: When (RFC 3339).
    """

    conversation_id: str
    muted_until: float = 0.0
    pinned: bool = False
    hidden_seq: int = -1
    draft: str = ""
    draft_at: str = ""
