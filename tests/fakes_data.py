"""Fakes at the ports of exporting and erasing users' data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.blocks import BlockService
from chalicelib.logic.erasure import ErasureService
from chalicelib.logic.policies import AuthPolicy
from chalicelib.logic.sessions import SessionService
from chalicelib.models import Export, RelationRow, User
from tests.fakes import FakeConnections, FakeMembers, FakeOffline, World
from tests.fakes_accounts import Clock, FakePresence, FakeSessions, FakeUsers
from tests.fakes_admin import FakeBans
from tests.fakes_changes import FakeMentions
from tests.fakes_identity import FakeIdentities
from tests.fakes_messaging import FakeScheduledMessages
from tests.fakes_presence import FakeSettings
from tests.fakes_push import FakePushTokens
from tests.fakes_relations import FakeNotices, FakeRelations


class FakeExports:
    """Exports in memory; `before_replace` lets somebody else in."""

    def __init__(self) -> None:
        self.rows: dict[str, Export] = {}
        self.before_replace: Callable[[], object] = lambda: None

    def get(self, user_id: str) -> Export | None:
        return self.rows.get(user_id)

    def replace(self, old: Export | None, new: Export) -> bool:
        self.before_replace()
        if _place(self.rows.get(new.user_id)) != _place(old):
            return False
        self.rows[new.user_id] = new
        return True

    def delete(self, user_id: str) -> None:
        self.rows.pop(user_id, None)


def _place(export: Export | None) -> object:
    return export and (export.id, export.step, export.status)


class FakeFiles:
    """Objects in memory; `step` runs before each change: a test lets the process die there."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.begun: dict[str, str] = {}
        self.parts: dict[tuple[str, int], bytes] = {}
        self.step: Callable[[], object] = lambda: None
        self._ids = count()

    def begin(self, key: str) -> str:
        self.step()
        upload_id = f"upload{next(self._ids)}"
        self.begun[upload_id] = key
        return upload_id

    def add(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        self.step()
        assert self.begun[upload_id] == key
        self.parts[upload_id, number] = data
        return f"{upload_id}-{number}"

    def complete(self, key: str, upload_id: str, parts: Sequence[str]) -> None:
        self.step()
        if self.begun.pop(upload_id, key) == key and key not in self.objects:
            numbers = [int(part.rpartition("-")[2]) for part in parts]
            self.objects[key] = b"".join(self.parts.pop((upload_id, one)) for one in numbers)

    def put(self, key: str, data: bytes) -> None:
        self.step()
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def link(self, key: str, name: str, seconds: int) -> str:
        return f"https://files.example/{key}?as={name}&for={seconds}"

    def delete_all(self, prefix: str) -> None:
        self.step()
        self.objects = {k: v for k, v in self.objects.items() if not k.startswith(prefix)}
        self.begun = {k: v for k, v in self.begun.items() if not v.startswith(prefix)}


class FakeRelationRows:
    """The rows of a user, as `FakeRelations` has them."""

    def __init__(self, relations: FakeRelations) -> None:
        self._relations = relations

    def some(self, user_id: str, limit: int) -> list[RelationRow]:
        kept = self._relations
        found = [("block", other, other) for user, other in kept.block_rows if user == user_id]
        found += [("friend", other, other) for user, other in kept.friend_rows if user == user_id]
        for (user, kind, key), one in kept.kept.items():
            if user == user_id:
                other = one.sender_id if kind == "received" else one.receiver_id
                found.append((kind, key, other))
        return [
            RelationRow(user_id=user_id, other_id=other, kind=kind, id=key)
            for kind, key, other in sorted(found)[:limit]
        ]

    def remove(self, rows: Sequence[RelationRow]) -> None:
        kept = self._relations
        kept.step()
        for row in rows:
            if row.kind == "block":
                kept.block_rows.pop((row.user_id, row.other_id), None)
            if row.kind == "friend":
                kept.friend_rows.pop((row.user_id, row.other_id), None)
                kept.friend_rows.pop((row.other_id, row.user_id), None)
            for user in (row.user_id, row.other_id):
                for kind in ("received", "sent"):
                    kept.kept.pop((user, kind, row.id), None)


class Household:
    """Users, what is kept of them, and the service that erases one."""

    def __init__(self, *users: str) -> None:
        self.clock = Clock()
        self.world = World()
        self.users = FakeUsers()
        self.sessions = FakeSessions(self.clock)
        self.presence = FakePresence()
        self.relations = FakeRelations(self.clock, *users)
        self.members = FakeMembers(self.world)
        self.pointers = FakeOffline(self.world)
        self.identities = FakeIdentities()
        self.exports = FakeExports()
        self.files = FakeFiles()
        self.scheduled = FakeScheduledMessages()
        self.push_tokens = FakePushTokens()
        self.notices = FakeNotices()
        self.enqueued: list[str] = []
        self.is_away = False
        for user_id in users:
            self.world.user(user_id)
            self.users.rows[user_id] = new_user(user_id)
        self.erasure = ErasureService(
            users=self.users,
            registry=FakeConnections(self.world),
            sessions=SessionService(
                sessions=self.sessions,
                bans=FakeBans(self.clock),
                presence=self.presence,
                policy=AuthPolicy,
                clock=self.clock,
                new_id=lambda: "id",
                new_secret=lambda: "secret",
                forget=self._forget,
            ),
            identities=self.identities,
            relations=self.relations,
            rows=FakeRelationRows(self.relations),
            memberships=self.members,
            pointers=self.pointers,
            mentions=FakeMentions(self.world),
            settings=FakeSettings(self.world),
            scheduled=self.scheduled,
            exports=self.exports,
            files=lambda: self.files,
            enqueue=self._enqueue,
            tell=self.notices.tell,
            clock=self.clock,
        )

    def block(self, user_id: str, other_id: str) -> None:
        """Somebody blocks somebody."""
        blocks = BlockService(relations=self.relations, directory=Anybody(), tell=lambda *_: None)
        blocks.block(user_id, other_id)

    def _forget(self, user_id: str, _device_id: str | None) -> None:
        self.push_tokens.remove_all(user_id)

    def _enqueue(self, _ctx: Context, user_id: str) -> None:
        if self.is_away:
            raise UnavailableError("away")
        self.enqueued.append(user_id)


class Anybody:
    """Everybody exists."""

    def exists(self, _user_id: str) -> bool:
        return True

    existed = exists


def new_user(user_id: str) -> User:
    """A user whose name is their id."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return User(id=user_id, username=user_id, password_hash="h", created_at=at, updated_at=at)
