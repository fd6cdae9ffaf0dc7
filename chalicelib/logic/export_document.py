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
from chalicelib.logic.messages import Reader
from chalicelib.models import (
    WORLD,
    Block,
    ConversationMember,
    ConversationSettings,
    Friend,
    FriendRequest,
    ScheduledMessage,
    Session,
    User,
    direct_members,
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
        clock: Callable[[], float],
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._relations = relations
        self._memberships = memberships
        self._reader = reader
        self._settings = settings
        self._scheduled = scheduled
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
            items, start = page_of(user_id, start)
            texts.append("," * (has_items and bool(items)) + ",".join(items))
            has_items = has_items or bool(items)
            work += max(len(items), _WORK_A_PAGE)
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
        profile = {
            "id": user.id,
            "username": user.username,
            "nickname": user.nickname,
            "avatar": user.avatar,
            "signature": user.signature,
            "gender": user.gender,
            "roles": list(user.roles),
            "created_at": rfc3339(user.created_at.timestamp()),
            "updated_at": rfc3339(user.updated_at.timestamp()),
        }
        return f'{{"exported_at":{_json(rfc3339(self._clock()))},"profile":{_json(profile)}'

    def _all_sessions(self, user_id: str, _start: Any) -> Page:
        return _texts(
            {
                "device_id": one.device_id,
                "device_name": one.device_name,
                "created_at": rfc3339(one.created_at),
                "last_used_at": rfc3339(one.used_at),
                "expires_at": rfc3339(one.expires_at),
            }
            for one in self._sessions.of_user(user_id)
        ), None

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
        return _texts(map(_conversation, rows)), following

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
        return _texts(
            {
                "id": one.id,
                "status": one.status.value,
                "deliver_at": rfc3339(one.deliver_at),
                "created_at": rfc3339(one.created_at),
                **one.draft,
            }
            for one in found
        ), following

    def _all_settings(self, user_id: str, _start: Any) -> Page:
        return _texts(map(asdict, self._settings.of_user(user_id).values())), None


def _conversation(row: ConversationMember) -> dict[str, Any]:
    others = [one for one in direct_members(row.conversation_id) or () if one != row.user_id]
    return {
        "id": row.conversation_id,
        **({"user_id": others[0]} if others else {}),
        "role": row.role.value,
        "read_seq": row.read_seq,
        "delivered_seq": row.delivered_seq,
    }


def _texts(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [_json(one) for one in items]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
