"""Telling friends who came and who went.

Friends are told how things stand when the command is carried out, not when it was enqueued, and
only if they were told otherwise before. So several changes are one, a short absence is none, and
several devices are one user. Many friends are told in pages, each a command of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chalicelib.frames import dump
from chalicelib.models import (
    Block,
    Connection,
    Friend,
    PresenceState,
    PresenceStatus,
    PushResult,
    ShowPresence,
    rfc3339,
)

PAGE = 500  # friends who are told by one command: at most about a second


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceNews:
    """Friends of a user are to be told how things stand.

    Attributes:
        status: What they are told, once the first page was; empty before.
        start: With which friend the page starts.
    """

    user_id: str
    status: str = ""
    start: str = ""


class States(Protocol):
    """What is stored of users' presence."""

    def states(self, user_ids: Iterable[str]) -> Mapping[str, PresenceState]: ...
    def set_told(self, user_id: str, status: PresenceStatus) -> PresenceState | None: ...


class Relations(Protocol):
    """The stored friends and blocks."""

    def friends(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Friend], str | None]: ...
    def blocks(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Block], str | None]: ...


class Connections(Protocol):
    """The stored connections."""

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]: ...


class Push(Protocol):
    """Posts to connections."""

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> Mapping[str, PushResult]: ...


class PresenceNewsService:
    """Pushes ``presence`` frames to friends who are connected; a lost one is not repeated."""

    def __init__(
        self,
        *,
        states: States,
        relations: Relations,
        connections: Connections,
        push: Push,
        enqueue: Callable[[Iterable[PresenceNews]], None],
        later: Callable[[Iterable[str]], None],
    ) -> None:
        self._states = states
        self._relations = relations
        self._connections = connections
        self._push = push
        self._enqueue = enqueue
        self._later = later

    def tell(self, batch: Iterable[PresenceNews]) -> None:
        """Tells a page of friends of each, and has the next ones told."""
        wanted = list(dict.fromkeys(batch))
        states = self._states.states({one.user_id for one in wanted})
        news = [
            (one, states[one.user_id])
            for one in wanted
            if one.user_id in states and _is_news(one, states[one.user_id])
        ]
        frames: list[tuple[str, list[str]]] = []
        following: list[PresenceNews] = []
        for one, state in news:
            status = one.status or state.shown.value
            friends, start = self._friends(one)
            frames.append((_frame(state, status), friends))
            if start:
                following.append(replace(one, status=status, start=start))
        self._post(frames)
        self._enqueue(following)
        changed = self._changed_since([state for one, state in news if not one.status])
        here = [one for one in changed if one.status is not PresenceStatus.OFFLINE]
        self._enqueue(PresenceNews(user_id=one.user_id) for one in here)
        # As after `$disconnect`: who is back in a moment was never away.
        self._later(one.user_id for one in changed if one not in here)

    def _changed_since(self, told: Iterable[PresenceState]) -> list[PresenceState]:
        """Notes what was told; whoever changes it after that finds the note."""
        noted = ((one, self._states.set_told(one.user_id, one.shown)) for one in told)
        return [now for one, now in noted if now is not None and now.shown is not one.shown]

    def _friends(self, news: PresenceNews) -> tuple[list[str], str | None]:
        """A page of friends without those whom the user has blocked."""
        found, start = self._relations.friends(news.user_id, start=news.start or None, limit=PAGE)
        blocked: set[str] = set()
        at: str | None = found[0].user_id if found else None
        while at is not None and at <= found[-1].user_id:
            blocks, at = self._relations.blocks(news.user_id, start=at, limit=PAGE)
            blocked.update(one.user_id for one in blocks)
        return [one.user_id for one in found if one.user_id not in blocked], start

    def _post(self, frames: Sequence[tuple[str, list[str]]]) -> None:
        live = self._connections.live({one for _, friends in frames for one in friends})
        posts: dict[str, list[str]] = {}
        for frame, friends in frames:
            for friend in friends:
                for connection in live.get(friend, ()):
                    posts.setdefault(connection.id, []).append(frame)
        self._push.post_all(posts)


def _is_news(news: PresenceNews, state: PresenceState) -> bool:
    """Whether friends know otherwise; later pages go on until something else was told."""
    return state.told.value == news.status if news.status else state.told is not state.shown


def _frame(state: PresenceState, status: str) -> str:
    seen = None
    if status == PresenceStatus.OFFLINE and state.show_to is not ShowPresence.NOBODY:
        seen = rfc3339(state.last_seen) if state.last_seen is not None else None
    return dump({"type": "presence", "user_id": state.user_id, "status": status, "last_seen": seen})
