"""Fakes at the ports of accounts and of the REST API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.coord import CoordError, Parameter
from chalicelib.errors import IdempotencyConflictError
from chalicelib.models import Session, ShowPresence, User
from chalicelib.repo.idempotency import KEPT_SECONDS, LEASE_SECONDS, Attempt


@dataclass(eq=False)  # so it can be the default of a field: modules are imported while it runs
class Clock:
    """A clock that a test moves."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class FakeUsers:
    """Users in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, User] = {}
        self.deleted: dict[str, str] = {}  # id by name

    def create(self, user: User) -> bool:
        if user.username.lower() in self.deleted:
            return False
        holder = self.by_name(user.username)
        if holder is not None and holder.id != user.id:
            return False
        self.rows[user.id] = user
        return True

    def erase(self, user_id: str, _at: datetime) -> None:
        if user := self.rows.pop(user_id, None):
            self.deleted[user.username.lower()] = user_id

    def get(self, user_id: str) -> User | None:
        return self.rows.get(user_id)

    def get_many(self, user_ids: Iterable[str]) -> dict[str, User]:
        return {user_id: self.rows[user_id] for user_id in user_ids if user_id in self.rows}

    def by_name(self, username: str) -> User | None:
        name = username.lower()
        return next((u for u in self.rows.values() if u.username.lower() == name), None)

    def set_password(self, user: User, password_hash: str) -> bool:
        stored = self.rows.get(user.id)
        if stored is None or stored.password_hash != user.password_hash:
            return False
        self.rows[user.id] = replace(stored, password_hash=password_hash)
        return True

    def set_email(self, user: User, email: str) -> bool:
        stored = self.rows.get(user.id)
        if stored is None or stored.password_hash != user.password_hash:
            return False
        self.rows[user.id] = replace(stored, email=email)
        return True

    def set_roles(self, user: User, roles: Iterable[str]) -> bool:
        stored = self.rows.get(user.id)
        if stored is None:
            return False
        self.rows[user.id] = replace(stored, roles=tuple(roles))
        return True

    def set_profile(self, user: User) -> bool:
        stored = self.rows.get(user.id)
        if stored is None:
            return False
        self.rows[user.id] = replace(user, password_hash=stored.password_hash)
        return True

    def search(self, prefix: str, *, after: str, limit: int) -> list[User]:
        found = sorted(self.rows.values(), key=lambda u: u.username.lower())
        names = [(u.username.lower(), u) for u in found]
        return [u for name, u in names if name.startswith(prefix) and name > after][:limit]


class FakeSessions:
    """Sessions in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rows: dict[tuple[str, str], Session] = {}

    def put(self, session: Session) -> None:
        self.rows[session.user_id, session.device_id] = session

    def get(self, user_id: str, device_id: str) -> Session | None:
        return self.rows.get((user_id, device_id))

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool:
        found = self.get(user_id, device_id)
        return bool(found and found.id == session_id and found.expires_at > self._clock())

    def of_user(self, user_id: str) -> list[Session]:
        return [one for one in self.rows.values() if one.user_id == user_id]

    def rotate(self, session: Session, *, spent_hash: str) -> bool:
        found = self.rows.get((session.user_id, session.device_id))
        if not found or (found.id, found.refresh_hash) != (session.id, spent_hash):
            return False
        self.put(session)
        return True

    def delete(self, user_id: str, device_id: str, *, session_id: str | None = None) -> None:
        found = self.get(user_id, device_id)
        if found and session_id in (None, found.id):
            del self.rows[user_id, device_id]


@dataclass
class FakePresence:
    """Remembers what it was asked."""

    registered: list[str] = field(default_factory=list)
    closed: list[tuple[str, str | None]] = field(default_factory=list)
    shown: dict[str, ShowPresence] = field(default_factory=dict)

    def register(self, user_id: str) -> None:
        self.registered.append(user_id)

    def shows_to(self, user_id: str) -> ShowPresence:
        return self.shown.get(user_id, ShowPresence.EVERYBODY)

    def show_to(self, user_id: str, show_to: ShowPresence) -> None:
        self.shown[user_id] = show_to

    def disconnect(self, user_id: str, device_id: str | None = None) -> None:
        self.closed.append((user_id, device_id))


class FakeIdempotency:
    """Idempotency keys in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = iter(f"operation{n}" for n in range(1000))
        self.rows: dict[str, tuple[str, float, Attempt]] = {}

    def begin(self, key: str, fingerprint: str) -> Attempt:
        now = self._clock()
        seen, expires, found = self.rows.get(key, ("", 0.0, None))
        if found is None or expires <= now:
            fresh = Attempt(key=key, operation_id=next(self._ids), lease_until=now + LEASE_SECONDS)
            self.rows[key] = (fingerprint, now + KEPT_SECONDS, fresh)
            return fresh
        if seen != fingerprint:
            raise IdempotencyConflictError
        if found.status:
            return found
        if found.lease_until > now:
            raise IdempotencyConflictError("still running", retry_after=found.lease_until - now)
        taken = replace(found, lease_until=now + LEASE_SECONDS)
        self.rows[key] = (seen, expires, taken)
        return taken

    def finish(self, attempt: Attempt, status: int, answer: str) -> None:
        self._change(attempt, replace(attempt, status=status, answer=answer))

    def abandon(self, attempt: Attempt) -> None:
        self._change(attempt, replace(attempt, lease_until=0.0))

    def _change(self, attempt: Attempt, changed: Attempt) -> None:
        fingerprint, expires, held = self.rows[attempt.key]
        if held.lease_until == attempt.lease_until:
            self.rows[attempt.key] = (fingerprint, expires, changed)


class FakeCentre:
    """Parameters in memory."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.is_away = False

    def get(self, path: str, *, max_age_seconds: float | None = None) -> Parameter | None:
        if self.is_away:
            raise CoordError(f"cannot read {path}")
        value = self.values.get(path)
        return None if value is None else Parameter(path, value, 1, path in self.secrets)


class FakeKeyStore:
    """Signing keys in memory; ``log`` is the order of the writes."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.public: str | None = None
        self.log: list[str] = []

    def signing_key(self) -> str | None:
        return self.key

    def add_signing_key(self, document: str) -> bool:
        if self.key is not None:
            return False
        self.replace_signing_key(document)
        return True

    def replace_signing_key(self, document: str) -> None:
        self.log.append("key")
        self.key = document

    def jwks(self) -> str | None:
        return self.public

    def put_jwks(self, document: str) -> None:
        self.log.append("jwks")
        self.public = document
