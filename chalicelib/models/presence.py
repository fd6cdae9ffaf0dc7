"""Who is there, and who may know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PresenceStatus(StrEnum):
    """Whether a user is there, on all devices together."""

    ONLINE = "online"
    AWAY = "away"  # connected, and nobody looks: every connected client has said so
    OFFLINE = "offline"


class ShowPresence(StrEnum):
    """To whom a user shows whether they are there."""

    EVERYBODY = "everybody"
    FRIENDS = "friends"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceState:
    """What is stored of a user's presence.

    Attributes:
        status: As it is now.
        last_seen: Unix seconds.
        show_to: Who may know.
        told: What friends were told last.
    """

    user_id: str
    status: PresenceStatus = PresenceStatus.OFFLINE
    last_seen: float | None = None
    show_to: ShowPresence = ShowPresence.EVERYBODY
    told: PresenceStatus = PresenceStatus.OFFLINE

    @property
    def shown(self) -> PresenceStatus:
        """What friends may know."""
        return PresenceStatus.OFFLINE if self.show_to is ShowPresence.NOBODY else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A user as somebody else may see them: who is hidden is offline and was never seen."""

    user_id: str
    status: PresenceStatus = PresenceStatus.OFFLINE
    last_seen: str | None = None  # RFC 3339
