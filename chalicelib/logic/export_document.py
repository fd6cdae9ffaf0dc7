"""The document that a user's data is exported as, written page by page.

One JSON object: ``exported_at``, ``profile``, and a list for each section. `read` gives some of
its text and where to go on, so that no step of the workflow takes long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from chalicelib.errors import UserNotFoundError
from chalicelib.logic import export_items as items
from chalicelib.logic.messages import Reader
from chalicelib.models import (
    WORLD,
    Block,
    ConversationMember,
    ConversationSettings,
    Friend,
    FriendRequest,
    PushDevice,
    ScheduledMessage,
    Session,
    User,
    rfc3339,
)

PAGE = 100
_WORK = 1000  # a step ends after so many items; an empty page is worth some
_WORK_A_PAGE = 20

# Where to go on: the section, where in it (None: at its beginning), whether it has an item.
Position = tuple[int, Any, bool]
Page = tuple[list[str], Any]


class Users(Protocol):
    """The stored users."""

    def get(self, user_id: str) -> User | None: ...


class Sessions(Protocol):
    """The stored sessions."""

    def of_user(self, user_id: str) -> list[Session]: ...


class Relations(Protocol):
    """The stored friends, blocks and requests, in pages."""

    def friends(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Friend], str | None]: ...
    def blocks(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Block], str | None]: ...
    def requests(
        self, user_id: str, direction: str, *, start: str | None, limit: int
    ) -> tuple[list[FriendRequest], str | None]: ...


class Memberships(Protocol):
    """A user's memberships, in order of the conversations."""

    def page_of_user(
        self, user_id: str, *, after: str, limit: int
    ) -> Sequence[ConversationMember]: ...


class Settings(Protocol):
    """What a user wants of conversations, and drafts."""

    def of_user(self, user_id: str) -> Mapping[str, ConversationSettings]: ...


class Scheduled(Protocol):
    """The user's scheduled messages, in pages."""

    def page(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ScheduledMessage], str | None]: ...


class PushDevices(Protocol):
    """The devices that are notified."""

    def of(self, user_ids: Iterable[str]) -> Mapping[str, Sequence[PushDevice]]: ...


class ExportDocument:
    """Reads all that is kept of a user; no password, token or hash of one is in it."""

    def __init__(
        self,
        *,
        users: Users,
        sessions: Sessions,
        relations: Relations,
        memberships: Memberships,
        reader: Reader,
        settings: Settings,
        scheduled: Scheduled,
        push_devices: PushDevices,
        clock: Callable[[], float],
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._relations = relations
        self._memberships = memberships
        self._reader = reader
        self._settings = settings
        self._scheduled = scheduled
        self._push_devices = push_devices
        self._clock = clock
        self._sections: Sequence[tuple[str, Callable[[str, Any], Page]]] = (
            ("sessions", self._all_sessions),
            ("friends", self._friends),
            ("blocks", self._blocks),
            ("friend_requests_received", lambda user, at: self._requests(user, "received", at)),
            ("friend_requests_sent", lambda user, at: self._requests(user, "sent", at)),
            ("conversations", self._conversations),
            ("messages", self._messages),
            ("settings", self._all_settings),
            ("scheduled_messages", self._scheduled_messages),
            ("push_devices", self._notified),
        )

    def read(self, user_id: str, position: Position | None = None) -> tuple[str, Position | None]:
        """Some of the document's text, and where the next begins; None at the end.

        Raises:
            UserNotFoundError: There is no such user.
        """
        section, start, has_items = position or (0, None, False)
        texts = [] if position else [self._opening(user_id)]
        work = 0
        while section < len(self._sections) and work < _WORK:
            name, page_of = self._sections[section]
            if start is None:
                texts.append(f',"{name}":[')
                has_items = False
            page, start = page_of(user_id, start)
            texts.append("," * (has_items and bool(page)) + ",".join(page))
            has_items = has_items or bool(page)
            work += max(len(page), _WORK_A_PAGE)
            if start is None:
                texts.append("]")
                section += 1
        if section < len(self._sections):
            return "".join(texts), (section, start, has_items)
        return "".join([*texts, "}"]), None

    def _opening(self, user_id: str) -> str:
        user = self._users.get(user_id)
        if user is None:
            raise UserNotFoundError
        at, profile = _json(rfc3339(self._clock())), _json(items.profile(user))
        return f'{{"exported_at":{at},"profile":{profile}'

    def _all_sessions(self, user_id: str, _start: Any) -> Page:
        return _texts(map(items.session, self._sessions.of_user(user_id))), None

    def _friends(self, user_id: str, start: Any) -> Page:
        found, following = self._relations.friends(user_id, start=start, limit=PAGE)
        return _texts(map(asdict, found)), following

    def _blocks(self, user_id: str, start: Any) -> Page:
        found, following = self._relations.blocks(user_id, start=start, limit=PAGE)
        return _texts(map(asdict, found)), following

    def _requests(self, user_id: str, direction: str, start: Any) -> Page:
        found, following = self._relations.requests(user_id, direction, start=start, limit=PAGE)
        return _texts(map(asdict, found)), following

    def _conversations(self, user_id: str, start: Any) -> Page:
        rows = self._memberships.page_of_user(user_id, after=start or "", limit=PAGE)
        following = rows[-1].conversation_id if len(rows) == PAGE else None
        return _texts(map(items.conversation, rows)), following

    def _messages(self, user_id: str, start: Any) -> Page:
        """Of one conversation; what everybody reads in the world room is nobody's own."""
        conversation_id, seq = start or ("", None)
        if seq is None:
            rows = self._memberships.page_of_user(user_id, after=conversation_id, limit=1)
            if not rows:
                return [], None
            conversation_id, seq = rows[0].conversation_id, rows[0].joined_seq
            if conversation_id == WORLD:
                return [], (conversation_id, None)
        found = self._reader.after(user_id, conversation_id, seq, PAGE)
        following = found[-1].seq if len(found) == PAGE else None
        return [one.text for one in found], (conversation_id, following)

    def _scheduled_messages(self, user_id: str, start: Any) -> Page:
        found, following = self._scheduled.page(user_id, start=start, limit=PAGE)
        return _texts(map(items.scheduled_message, found)), following

    def _notified(self, user_id: str, _start: Any) -> Page:
        found = self._push_devices.of((user_id,)).get(user_id, ())
        return _texts(map(items.push_device, found)), None

    def _all_settings(self, user_id: str, _start: Any) -> Page:
        return _texts(map(asdict, self._settings.of_user(user_id).values())), None


def _texts(found: Iterable[Mapping[str, Any]]) -> list[str]:
    return [_json(one) for one in found]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
