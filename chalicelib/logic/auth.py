"""Registration and log-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from chalicelib.errors import InvalidCredentialsError, UnauthorizedError, UsernameTakenError
from chalicelib.logic.policies import AuthPolicy
from chalicelib.logic.sessions import SessionService
from chalicelib.logic.tokens import Authenticator, Identity
from chalicelib.models import Session, User

# Names that would be taken for the operator's.
RESERVED = frozenset({"admin", "administrator", "lambchat", "system", "world"})
ADMIN = "admin"


class Users(Protocol):
    """The stored users; a name is found whatever its case."""

    def create(self, user: User) -> bool: ...
    def get(self, user_id: str) -> User | None: ...
    def by_name(self, username: str) -> User | None: ...
    def set_password(self, user: User, password_hash: str) -> bool: ...
    def set_email(self, user: User, email: str) -> bool: ...


class Hasher(Protocol):
    """Password hashes."""

    def hash(self, password: str) -> str: ...
    def verify(self, stored: str | None, password: str) -> bool: ...
    def is_outdated(self, stored: str) -> bool: ...


class Signer(Protocol):
    """Signs access tokens."""

    def sign(self, identity: Identity, *, seconds: int) -> str: ...


class Registry(Protocol):
    """Prepares what else a new user needs; may be called twice."""

    def register(self, user_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a device gets at log-in and at each refresh. Secrets: never logged."""

    user: User
    device_id: str
    access_token: str
    refresh_token: str
    expires_in: int


class AuthService:
    """Who somebody is (requirement IM-8)."""

    def __init__(
        self,
        *,
        users: Users,
        passwords: Hasher,
        sessions: SessionService,
        signer: Signer,
        authenticator: Authenticator,
        registry: Registry,
        policy: Callable[[], AuthPolicy],
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._sessions = sessions
        self._signer = signer
        self._authenticator = authenticator
        self._registry = registry
        self._policy = policy
        self._clock = clock
        self._new_id = new_id

    def register(
        self,
        username: str,
        password: str | None,
        *,
        nickname: str = "",
        user_id: str | None = None,
        roles: tuple[str, ...] = (),
    ) -> User:
        """Creates an account, without a password where somebody else vouches for the user.

        The name keeps its case and is unique whatever its case. With the ``user_id`` of an earlier
        attempt that may have succeeded, the account of that attempt is answered.

        Raises:
            UsernameTakenError: Somebody has the name, or nobody may.
        """
        if username.lower() in RESERVED:
            raise UsernameTakenError(f"{username} is reserved")
        existing = self._users.by_name(username)
        if existing is None:
            return self._create(
                user_id or self._new_id(), username, password, nickname=nickname, roles=roles
            )
        if existing.id == user_id:
            return existing
        raise UsernameTakenError(f"{username} is taken")

    def login(self, username: str, password: str, *, device_id: str, device_name: str) -> Tokens:
        """Opens a session on a device.

        Raises:
            InvalidCredentialsError: The name or the password is wrong.
        """
        user = self._users.by_name(username)
        stored = user.password_hash if user else None
        if not self._passwords.verify(stored, password) or user is None:
            raise InvalidCredentialsError
        if self._passwords.is_outdated(user.password_hash):
            self._users.set_password(user, self._passwords.hash(password))
        return self._open(user, device_id=device_id, device_name=device_name)

    def open_session(self, user_id: str, *, device_id: str, device_name: str) -> Tokens:
        """Opens a session for somebody whom a trusted issuer vouches for.

        Raises:
            UnauthorizedError: The account is gone.
            BannedError: The user is banned.
        """
        user = self._users.get(user_id)
        if user is None:
            raise UnauthorizedError("the account is gone")
        return self._open(user, device_id=device_id, device_name=device_name)

    def refresh(self, refresh_token: str) -> Tokens:
        """Exchanges a refresh token for a new pair.

        Raises:
            TokenReusedError: It was used before; the device is logged out.
            UnauthorizedError: It is not valid.
        """
        session, next_token = self._sessions.refresh(refresh_token)
        user = self._users.get(session.user_id)
        if user is None:
            self._sessions.end(session.user_id, session.device_id)
            raise UnauthorizedError("the account is gone")
        return self._tokens(user, session, next_token)

    def change_password(self, identity: Identity, old: str, new: str) -> None:
        """Sets another password and ends the sessions of the user's other devices.

        Raises:
            InvalidCredentialsError: The old password is wrong.
        """
        user = self._users.get(identity.user_id)
        if user is None or not self._passwords.verify(user.password_hash, old):
            raise InvalidCredentialsError("the old password is wrong")
        if not self._users.set_password(user, self._passwords.hash(new)):
            raise InvalidCredentialsError("the password was changed meanwhile")
        self._sessions.end_all(user.id, but=identity.device_id)

    def change_email(self, identity: Identity, password: str, email: str) -> User:
        """Sets where a password reset goes; a stolen token alone must not redirect it.

        Raises:
            InvalidCredentialsError: The password is wrong, or was changed meanwhile.
        """
        user = self._users.get(identity.user_id)
        if (
            user is None
            or not self._passwords.verify(user.password_hash, password)
            or not self._users.set_email(user, email)
        ):
            raise InvalidCredentialsError("the password is wrong")
        return replace(user, email=email)

    def ensure_admin(self, password: str) -> User:
        """Makes the user ``admin``, or gives it this password and ends its sessions."""
        user = self._users.by_name(ADMIN)
        if user is None:
            return self._create(self._new_id(), ADMIN, password, roles=(ADMIN,))
        if not self._passwords.verify(user.password_hash, password):
            self._users.set_password(user, self._passwords.hash(password))
            self._sessions.end_all(user.id)
        return user

    def generate_token(self, user: User, session: Session) -> str:
        """An access token for a user's session."""
        identity = Identity(
            user_id=user.id, device_id=session.device_id, session_id=session.id, roles=user.roles
        )
        return self._signer.sign(identity, seconds=self._policy().access_token_seconds)

    def parse_token(self, token: str) -> Identity:
        """Who an access token speaks for.

        Raises:
            UnauthorizedError: It is not valid, or its session is over.
        """
        return self._authenticator.authenticate(token)

    def _create(
        self,
        user_id: str,
        username: str,
        password: str | None,
        *,
        nickname: str = "",
        roles: tuple[str, ...] = (),
    ) -> User:
        now = datetime.fromtimestamp(self._clock(), UTC)
        user = User(
            id=user_id,
            username=username,
            # The empty one is nobody's, and takes as long to compare with.
            password_hash="" if password is None else self._passwords.hash(password),
            nickname=nickname,
            roles=roles,
            created_at=now,
            updated_at=now,
        )
        # First what may be left over, then what makes the user exist.
        self._registry.register(user.id)
        if not self._users.create(user):
            raise UsernameTakenError(f"{user.username} is taken")
        return user

    def _open(self, user: User, *, device_id: str, device_name: str) -> Tokens:
        session, refresh_token = self._sessions.open(
            user.id, device_id=device_id, device_name=device_name
        )
        if self._users.get(user.id) is None:  # deleted meanwhile: its sessions were ended before
            self._sessions.end(user.id, device_id)
            raise UnauthorizedError("the account is gone")
        return self._tokens(user, session, refresh_token)

    def _tokens(self, user: User, session: Session, refresh_token: str) -> Tokens:
        return Tokens(
            user=user,
            device_id=session.device_id,
            access_token=self.generate_token(user, session),
            refresh_token=refresh_token,
            expires_in=self._policy().access_token_seconds,
        )
