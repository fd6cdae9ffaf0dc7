"""Who may see whether somebody is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.logic.policies import PresencePolicy
from chalicelib.models import (
    WORLD,
    ConversationMember,
    Presence,
    PresenceState,
    PresenceStatus,
    Relation,
    ShowPresence,
    rfc3339,
)


class States(Protocol):
    """What is stored of users' presence."""

    def states(self, user_ids: Iterable[str]) -> Mapping[str, PresenceState]: ...


class Relations(Protocol):
    """How a user stands with others who exist."""

    def correspondents(self, user_id: str, other_ids: Sequence[str]) -> Mapping[str, Relation]: ...


class Memberships(Protocol):
    """The conversations of a user."""

    def of_user(self, user_id: str) -> list[ConversationMember]: ...


class PresenceViews:
    """Shows users to each other; who may not see somebody finds them offline, never seen."""

    def __init__(
        self,
        *,
        states: States,
        relations: Relations,
        memberships: Memberships,
        policy: Callable[[], PresencePolicy],
    ) -> None:
        self._states = states
        self._relations = relations
        self._memberships = memberships
        self._policy = policy

    def of(self, viewer_id: str, user_ids: Sequence[str]) -> list[Presence]:
        """Users as one of them sees them; who does not exist is left out."""
        states = self._states.states(user_ids)
        others = [one for one in states if one != viewer_id]
        relations = self._relations.correspondents(viewer_id, others) if others else {}
        found = []
        for user_id in dict.fromkeys(user_ids):
            if state := states.get(user_id):
                relation = relations.get(user_id)
                shown = user_id == viewer_id or self._may_see(viewer_id, state, relation)
                found.append(_presence(state) if shown else Presence(user_id=user_id))
        return found

    def _may_see(self, viewer_id: str, state: PresenceState, relation: Relation | None) -> bool:
        if state.show_to is ShowPresence.NOBODY or relation is None:
            return False
        if relation.is_blocked(viewer_id):
            return False
        if relation.friends:
            return True
        if state.show_to is ShowPresence.FRIENDS:
            return False
        return self._policy().strangers_may_see or self._meet(viewer_id, state.user_id)

    def _meet(self, viewer_id: str, user_id: str) -> bool:
        """Whether the two are in a conversation; everybody is in the world room."""
        mine, theirs = (
            {row.conversation_id for row in self._memberships.of_user(one)}
            for one in (viewer_id, user_id)
        )
        return bool(mine & theirs - {WORLD})


def _presence(state: PresenceState) -> Presence:
    seen = state.last_seen if state.status is PresenceStatus.OFFLINE else None
    return Presence(
        user_id=state.user_id,
        status=state.status,
        last_seen=rfc3339(seen) if seen is not None else None,
    )
