"""Groups that a server which has the accounts keeps here; every call may be repeated.

Whoever owns a group does what is asked, so the rules and the system lines are those of groups.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import GroupNotFoundError
from chalicelib.logic.group_members import GroupMemberService
from chalicelib.logic.groups import GroupService
from chalicelib.logic.provisioning import Accounts, Callers, Keys, Outcome, outcome_of
from chalicelib.models import Group, group_id


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedGroup:
    """What a server says of one of its groups; users are named by their external ids.

    Attributes:
        add: Who is to be in it, beside those who are.
        remove: Who is not.
    """

    external_id: str
    owner: str
    name: str
    avatar: str | None = None
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


class ProvisionedGroupService:
    """Carries out what holders of provisioning keys ask for; ``ctx.user`` is the key."""

    def __init__(
        self,
        *,
        keys: Keys,
        identities: Accounts,
        stored: Groups,
        groups: Callable[[], GroupService],
        members: Callable[[], GroupMemberService],
    ) -> None:
        self._callers = Callers(keys, identities)
        self._stored = stored
        self._groups = groups
        self._members = members

    def put(self, ctx: Context, groups: Sequence[ProvisionedGroup]) -> list[Outcome]:
        """Makes groups, or brings them up to date; each entry has its own outcome."""
        issuer = self._callers.issuer(ctx)
        return [outcome_of(partial(self._put, ctx, issuer, one)) for one in groups]

    def dismiss(self, ctx: Context, external_id: str) -> None:
        """Ends a group; no fault where it is over.

        Raises:
            GroupNotFoundError: There never was one.
        """
        group = self._group(_unique(self._callers.issuer(ctx), external_id))
        if group is None:
            raise GroupNotFoundError
        if not group.dismissed:
            self._groups().dismiss(ctx, group.owner_id, group.id)

    def _put(self, ctx: Context, issuer: str, one: ProvisionedGroup) -> Outcome:
        owner_id, *user_ids = (
            self._callers.user_id(issuer, external_id)
            for external_id in (one.owner, *one.add, *one.remove)
        )
        added, removed = user_ids[: len(one.add)], user_ids[len(one.add) :]
        unique = _unique(issuer, one.external_id)
        profile = {"name": one.name} | ({} if one.avatar is None else {"avatar": one.avatar})
        group = self._group(unique)
        if group is None:
            made = self._groups().create(ctx, owner_id, added, unique=unique, profile=profile)
            return Outcome(id=made.id, created=True)
        if group.owner_id != owner_id:
            self._members().add(ctx, group.owner_id, group.id, [owner_id])
            self._groups().transfer(ctx, group.owner_id, group.id, owner_id)
        self._groups().update(ctx, owner_id, group.id, profile)
        self._members().add(ctx, owner_id, group.id, added)
        for user_id in removed:
            self._members().remove(ctx, owner_id, group.id, user_id)
        return Outcome(id=group.id)

    def _group(self, unique: str) -> Group | None:
        wanted = group_id(unique)
        return self._stored.get_groups((wanted,)).get(wanted)


def _unique(issuer: str, external_id: str) -> str:
    """What the group's id is made of: two servers may have a group of the same name."""
    return hashlib.sha256(f"{issuer}\n{external_id}".encode()).hexdigest()[:32]
