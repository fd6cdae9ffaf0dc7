"""A fake at the port of relations: friends, friend requests and blocks in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.errors import UserNotFoundError
from chalicelib.logic.access import Access
from chalicelib.models import Block, Friend, FriendRequest, Relation, rfc3339
from tests.fakes import World
from tests.fakes_groups import group_access


class FakeRelations:
    """How users stand; `step` runs before each write: a test lets somebody else in there."""

    def __init__(self, clock: Callable[[], float], *users: str) -> None:
        self._clock = clock
        self.users: Collection[str] = set(users)
        self.pairs: dict[tuple[str, str], Relation] = {}
        self.kept: dict[tuple[str, str, str], FriendRequest] = {}
        self.friend_rows: dict[tuple[str, str], Friend] = {}
        self.block_rows: dict[tuple[str, str], Block] = {}
        self.step: Callable[[], object] = lambda: None
        self.reads = 0

    def exists(self, user_id: str) -> bool:
        return user_id in self.users

    existed = exists

    def get(self, one: str, other: str) -> Relation:
        pair = (min(one, other), max(one, other))
        return self.pairs.get(pair, Relation(users=pair))

    def correspondent(self, user_id: str, other_id: str) -> Relation | None:
        self.reads += 1
        return self.get(user_id, other_id) if self.exists(other_id) else None

    def correspondents(self, user_id: str, other_ids: Sequence[str]) -> dict[str, Relation]:
        return {one: self.get(user_id, one) for one in other_ids if self.exists(one)}

    def replace(self, old: Relation, new: Relation, requests: Sequence[FriendRequest] = ()) -> bool:
        self.step()
        if self.get(*old.users).version != old.version:
            return False
        self.pairs[new.users] = replace(new, version=old.version + 1)
        now = rfc3339(self._clock())
        for user, other in (new.users, new.users[::-1]):
            if new.friends and not old.friends:
                self.friend_rows[user, other] = Friend(user_id=other, created_at=now)
            elif not new.friends:
                self.friend_rows.pop((user, other), None)
            if user in new.blocked_by - old.blocked_by:
                self.block_rows[user, other] = Block(user_id=other, created_at=now)
            elif user not in new.blocked_by:
                self.block_rows.pop((user, other), None)
        for request in requests:
            self.kept[request.receiver_id, "received", request.id] = request
            self.kept[request.sender_id, "sent", request.id] = request
        answered = {request.id for request in requests}
        gone = set(old.requests.values()) - set(new.requests.values()) - answered
        self.kept = {key: one for key, one in self.kept.items() if key[2] not in gone}
        return True

    def set_remark(self, user_id: str, friend_id: str, remark: str) -> Friend | None:
        found = self.friend_rows.get((user_id, friend_id))
        if found is None:
            return None
        self.friend_rows[user_id, friend_id] = replace(found, remark=remark)
        return self.friend_rows[user_id, friend_id]

    def request(self, user_id: str, direction: str, request_id: str) -> FriendRequest | None:
        return self.kept.get((user_id, direction, request_id))

    def requests(
        self, user_id: str, direction: str, *, start: str | None, limit: int
    ) -> tuple[list[FriendRequest], str | None]:
        found = {
            f"{one.created_at}#{one.id}": one
            for (user, way, _), one in self.kept.items()
            if (user, way) == (user_id, direction)
        }
        keys = [key for key in sorted(found, reverse=True) if start is None or key <= start]
        return [found[key] for key in keys[:limit]], _at(keys, limit)

    def friends(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Friend], str | None]:
        keys = sorted(o for u, o in self.friend_rows if u == user_id and o >= (start or ""))
        return [self.friend_rows[user_id, key] for key in keys[:limit]], _at(keys, limit)

    def blocks(
        self, user_id: str, *, start: str | None, limit: int
    ) -> tuple[list[Block], str | None]:
        keys = sorted(o for u, o in self.block_rows if u == user_id and o >= (start or ""))
        return [self.block_rows[user_id, key] for key in keys[:limit]], _at(keys, limit)


def _at(keys: Sequence[str], limit: int) -> str | None:
    return keys[limit] if len(keys) > limit else None


class Everybody:
    """Anybody may write to anybody who exists; in place of `Correspondence`."""

    def __init__(self, directory: Any) -> None:
        self._directory = directory

    def require(self, _user_id: str, other_id: str) -> None:
        if not self._directory.exists(other_id):
            raise UserNotFoundError


def open_access(directory: Any, world: World | None = None) -> Access:
    """Access where nobody is refused because of how two users stand."""
    return Access(directory, Everybody(directory), group_access(world or World()))


@dataclass
class FakeNotices:
    """Remembers who was told what."""

    told: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def tell(self, user_ids: Iterable[str], event: str, data: Mapping[str, Any]) -> None:
        self.told.extend((user_id, event, data) for user_id in user_ids)

    def events(self, user_id: str) -> list[str]:
        return [event for user, event, _ in self.told if user == user_id]
