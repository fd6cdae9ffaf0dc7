"""Who gets the messages of a conversation: a group's members are remembered under its version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chalicelib.models import Group, direct_members, is_group

_MAX_REMEMBERED = 200_000  # members, of all groups together: about 100 bytes each


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


class Rosters(Protocol):
    """The stored members of groups."""

    def roster(self, conversation_id: str) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Audience:
    """The members of a conversation.

    Attributes:
        joined: Of each the last number before they joined: what came until then is not theirs.
        large: They are many: they are pushed to in chunks, and their backlog has no pointers.
        gets_pointers: Who misses a message gets a pointer to it.
    """

    joined: Mapping[str, int]
    large: bool = False
    gets_pointers: bool = True


class Audiences:
    """Finds members; one call reads the versions of all groups that are asked for."""

    def __init__(self, groups: Groups, rosters: Rosters) -> None:
        self._groups = groups
        self._rosters = rosters
        self._known: dict[str, tuple[int, Mapping[str, int]]] = {}
        self._remembered = 0

    def of(self, conversation_ids: Iterable[str]) -> dict[str, Audience]:
        """The members of direct conversations and groups, as they are now.

        A group that does not exist has none, and the world room is not in it.
        """
        found: dict[str, Audience] = {}
        groups = []
        for key in conversation_ids:
            if is_group(key):
                groups.append(key)
            elif members := direct_members(key):
                found[key] = Audience(dict.fromkeys(members, 0))
        if groups:
            stored = self._groups.get_groups(groups)
            for key in groups:
                found[key] = self._of(stored[key]) if key in stored else Audience({})
        return found

    def _of(self, group: Group) -> Audience:
        version, joined = self._known.get(group.id, (-1, {}))
        if version != group.version:
            # After the version: these members are as new, or newer and then read again.
            joined = self._rosters.roster(group.id)
            self._remember(group, joined)
        return Audience(
            joined, large=group.large, gets_pointers=not (group.large or group.dismissed)
        )

    def _remember(self, group: Group, joined: Mapping[str, int]) -> None:
        self._remembered += len(joined) - len(self._known.pop(group.id, (0, {}))[1])
        self._known[group.id] = (group.version, joined)
        while self._remembered > _MAX_REMEMBERED and len(self._known) > 1:
            self._remembered -= len(self._known.pop(next(iter(self._known)))[1])
