"""What a server that has the accounts tells us: its users, whether they are in, their friends.

Every call may be repeated. `provisioned_groups` has its groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    BlockedError,
    IMError,
    SelfError,
    UnauthorizedError,
    UserNotFoundError,
)
from chalicelib.logic.friends import Tell
from chalicelib.logic.identities import name_from
from chalicelib.logic.provisioning_keys import ACTOR
from chalicelib.logic.relations import Change, Relations, change
from chalicelib.models import Ban, Relation, User

_REASON = "disabled by provisioning"


class Keys(Protocol):
    """Whose users a key provisions."""

    def issuer_of(self, actor: str) -> str: ...


class Accounts(Protocol):
    """The accounts of subjects."""

    def user_of(self, issuer: str, subject: str) -> str | None: ...


class Identities(Accounts, Protocol):
    """Makes them, too."""

    def enrol(
        self, issuer: str, subject: str, *, username: str, nickname: str, exactly: bool
    ) -> str: ...


class Profiles(Protocol):
    """Reads and changes profiles."""

    def get(self, user_id: str) -> User: ...
    def update(self, user_id: str, changes: dict[str, str]) -> User: ...


class Bans(Protocol):
    """The bans that hold."""

    def get(self, user_id: str) -> Ban | None: ...


class Banning(Protocol):
    """Cuts users off, and lets them in again."""

    def ban(self, ctx: Context, user_id: str, *, reason: str) -> Ban: ...
    def unban(self, ctx: Context, user_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedUser:
    """What a server says of one of its users; None leaves it as it is."""

    external_id: str
    username: str | None = None
    nickname: str | None = None
    avatar: str | None = None
    disabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one entry: the id of the user or group, or an error."""

    id: str = ""
    created: bool = False
    error: IMError | None = None


class Callers:
    """Whose server a key is of, and who its users are here."""

    def __init__(self, keys: Keys, identities: Accounts) -> None:
        self._keys = keys
        self._identities = identities

    def issuer(self, ctx: Context) -> str:
        """Whose users the calling key provisions."""
        if ctx.user is None:
            raise UnauthorizedError
        return self._keys.issuer_of(ctx.user)

    def user_id(self, issuer: str, external_id: str) -> str:
        """Who this user of a server is here.

        Raises:
            UserNotFoundError: Nobody.
        """
        found = self._identities.user_of(issuer, external_id)
        if found is None:
            raise UserNotFoundError(f"there is no user {external_id}")
        return found


def outcome_of(work: Callable[[], Outcome]) -> Outcome:
    """One entry's fault does not stop the others; a service that is away stops them all."""
    try:
        return work()
    except IMError as error:
        if error.retryable:
            raise
        return Outcome(error=error)


class ProvisioningService:
    """Carries out what holders of provisioning keys ask for; ``ctx.user`` is the key."""

    def __init__(
        self,
        *,
        keys: Keys,
        identities: Identities,
        profiles: Callable[[], Profiles],
        bans: Bans,
        banning: Callable[[], Banning],
        relations: Relations,
        tell: Tell,
    ) -> None:
        self._callers = Callers(keys, identities)
        self._identities = identities
        self._profiles = profiles
        self._bans = bans
        self._banning = banning
        self._relations = relations
        self._tell = tell

    def put_users(self, ctx: Context, users: Sequence[ProvisionedUser]) -> list[Outcome]:
        """Makes accounts, or brings them up to date; each entry has its own outcome."""
        issuer = self._callers.issuer(ctx)
        return [outcome_of(partial(self._put, ctx, issuer, one)) for one in users]

    def disable(self, ctx: Context, external_id: str) -> None:
        """Cuts a user off and keeps them out; what they wrote stays.

        Raises:
            UserNotFoundError: There is no such user.
        """
        self._set_disabled(ctx, self._callers.user_id(self._callers.issuer(ctx), external_id), True)

    def put_friends(self, ctx: Context, pairs: Sequence[tuple[str, str]]) -> list[Outcome]:
        """Makes pairs friends; a block between two is theirs and stays."""
        issuer = self._callers.issuer(ctx)
        return [outcome_of(partial(self._befriend, issuer, *pair)) for pair in pairs]

    def _put(self, ctx: Context, issuer: str, one: ProvisionedUser) -> Outcome:
        user_id = self._identities.user_of(issuer, one.external_id)
        created = user_id is None
        if user_id is None:
            user_id = self._identities.enrol(
                issuer,
                one.external_id,
                username=one.username or name_from({"email": one.external_id}),
                nickname=one.nickname or "",
                exactly=one.username is not None,
            )
        stored = self._profiles().get(user_id)
        given = {"nickname": one.nickname, "avatar": one.avatar}
        changes = {
            name: value
            for name, value in given.items()
            if value is not None and getattr(stored, name) != value
        }
        if changes:
            self._profiles().update(user_id, changes)
        if one.disabled is not None:
            self._set_disabled(ctx, user_id, one.disabled)
        return Outcome(id=user_id, created=created)

    def _set_disabled(self, ctx: Context, user_id: str, disabled: bool) -> None:
        """An operator's ban is neither replaced nor lifted."""
        ban = self._bans.get(user_id)
        if disabled and ban is None:
            self._banning().ban(ctx, user_id, reason=_REASON)
        elif not disabled and ban is not None and ban.banned_by.startswith(ACTOR):
            self._banning().unban(ctx, user_id)

    def _befriend(self, issuer: str, one: str, other: str) -> Outcome:
        mine, theirs = self._callers.user_id(issuer, one), self._callers.user_id(issuer, other)
        if mine == theirs:
            raise SelfError("external_ids: expected two users")

        def decide(old: Relation) -> Change | None:
            if old.blocked_by:
                raise BlockedError("one of the two has blocked the other")
            return None if old.friends else (replace(old, requests={}, friends=True), ())

        if change(self._relations, mine, theirs, decide):
            self._tell((mine,), "friend.added", {"user_id": theirs})
            self._tell((theirs,), "friend.added", {"user_id": mine})
            return Outcome(created=True)
        return Outcome()
