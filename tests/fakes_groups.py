"""Fakes at the ports of groups, in the same in-memory world as `fakes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from chalicelib.logic.audiences import Audiences
from chalicelib.logic.group_access import GroupAccess
from chalicelib.models import (
    ConversationMember,
    ConversationType,
    Group,
    GroupChange,
    Head,
    InviteLink,
    JoinRequest,
    Role,
    Standing,
)
from tests.fakes import FakeMembers, World

T = TypeVar("T")


class FakeGroups:
    """Groups; `World.step` runs before each change: a test lets somebody else in there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.reads = 0

    def get_groups(self, ids: Iterable[str]) -> dict[str, Group]:
        self.reads += 1
        return {key: self._world.groups[key] for key in ids if key in self._world.groups}

    def standings(self, user_id: str, group_ids: Iterable[str]) -> dict[str, Standing]:
        members = self._world.members
        found = self.get_groups(group_ids)
        return {key: Standing(one, members.get((key, user_id))) for key, one in found.items()}

    def change(self, change: GroupChange) -> bool:
        self._world.step("before change")
        if not self._is_possible(change):
            return False
        new, members = change.new, self._world.members
        self._world.groups[new.id] = new
        if change.old is None:
            head = Head(id=new.id, type=ConversationType.GROUP, created_at=new.created_at)
            self._world.heads[new.id] = replace(head, updated_at=new.created_at)
        for row in change.added:
            members[new.id, row.user_id] = row
        for user_id in change.removed:
            del members[new.id, user_id]
        for row in change.updated:
            stored = members[new.id, row.user_id]
            changed = replace(stored, role=row.role, muted_until=row.muted_until)
            members[new.id, row.user_id] = changed
        self._world.requests.pop((new.id, change.answered), None)
        if change.link_id:
            link = self._world.links[new.id, change.link_id]
            self._world.links[new.id, change.link_id] = replace(link, uses=link.uses + 1)
        self._world.step("after change")
        return True

    def handed_on(self, group: Group) -> None:
        stored = self._world.groups[group.id]
        if stored.version == group.version:
            self._world.groups[group.id] = replace(stored, pending="")

    def _is_possible(self, change: GroupChange) -> bool:
        group_id, members = change.new.id, self._world.members
        stored = self._world.groups.get(group_id)
        if (stored and stored.version) != (change.old and change.old.version):
            return False
        if change.answered and (group_id, change.answered) not in self._world.requests:
            return False
        if change.link_id:
            link = self._world.links.get((group_id, change.link_id))
            if link is None or 0 < link.max_uses <= link.uses:
                return False
        there = [*change.removed, *(row.user_id for row in change.updated)]
        return all((group_id, one) in members for one in there) and not any(
            (group_id, row.user_id) in members for row in change.added
        )


class FakeInvitations:
    def __init__(self, world: World) -> None:
        self._world = world

    def ask(self, request: JoinRequest) -> None:
        self._world.requests[request.group_id, request.user_id] = request

    def request(self, group_id: str, user_id: str) -> JoinRequest | None:
        return self._world.requests.get((group_id, user_id))

    def requests(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[JoinRequest], str | None]:
        return _page(self._world.requests, group_id, start, limit)

    def withdraw(self, group_id: str, user_id: str) -> bool:
        return self._world.requests.pop((group_id, user_id), None) is not None

    def add_link(self, link: InviteLink) -> None:
        self._world.links[link.group_id, link.id] = link

    def link(self, group_id: str, link_id: str) -> InviteLink | None:
        return self._world.links.get((group_id, link_id))

    def links(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[InviteLink], str | None]:
        return _page(self._world.links, group_id, start, limit)

    def revoke(self, group_id: str, link_id: str) -> bool:
        return self._world.links.pop((group_id, link_id), None) is not None


def _page(
    stored: Mapping[tuple[str, str], T], group_id: str, start: str | None, limit: int
) -> tuple[list[T], str | None]:
    keys = sorted(key for key in stored if key[0] == group_id and key[1] >= (start or ""))
    return [stored[key] for key in keys[:limit]], keys[limit][1] if len(keys) > limit else None


def group_access(world: World) -> GroupAccess:
    return GroupAccess(FakeGroups(world), FakeMembers(world), world.clock)


def audiences(world: World) -> Audiences:
    return Audiences(FakeGroups(world), FakeMembers(world))


def grouped(world: World, group_id: str, *users: str, **fields: object) -> Group:
    """A group whose first member owns it."""
    group = Group(
        id=group_id,
        name="Tea",
        owner_id=users[0],
        member_count=len(users),
        version=1,
        **fields,  # type: ignore[arg-type]
    )
    world.groups[group_id] = group
    world.heads[group_id] = Head(id=group_id, type=ConversationType.GROUP)
    for user_id in users:
        role = Role.OWNER if user_id == users[0] else Role.MEMBER
        row = ConversationMember(conversation_id=group_id, user_id=user_id, role=role)
        world.members[group_id, user_id] = row
    return group
