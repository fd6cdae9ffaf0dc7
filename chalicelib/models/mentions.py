"""Who is mentioned in which message."""

from __future__ import annotations

from dataclasses import dataclass

EVERYBODY = "all"  # as in the member `mentions` of a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A mention of one user, or of everybody, in a message.

    Attributes:
        user_id: Who is meant; ``all`` for everybody in a group.
        sender_id: Who wrote the message.
        expires_at: Unix seconds; from then on it does not count.
        void: The message is gone, for everybody or for this user.
    """

    conversation_id: str
    seq: int
    user_id: str
    sender_id: str
    expires_at: float
    void: bool = False
