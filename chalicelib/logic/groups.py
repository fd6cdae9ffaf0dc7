"""Groups as a whole: created, edited, transferred, dismissed (requirement APP-15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import GroupNotFoundError, NotFoundError, NotMemberError
from chalicelib.logic.group_changes import MAX_ROWS, Decision, GroupChanges, Situation
from chalicelib.logic.group_members import GroupMemberService
from chalicelib.logic.group_rules import Action
from chalicelib.models import (
    WORLD,
    ConversationMember,
    Group,
    Role,
    Standing,
    group_id,
    rfc3339,
)

_ANNOUNCED = {"name", "announcement"}  # what else is changed stands in no system line


class Groups(Protocol):
    """The stored groups."""

    def standings(self, user_id: str, group_ids: Iterable[str]) -> Mapping[str, Standing]: ...


class GroupService:
    """Creates and changes groups."""

    def __init__(
        self,
        *,
        changes: GroupChanges,
        members: GroupMemberService,
        groups: Groups,
        clear_later: Callable[[str], None],
    ) -> None:
        self._changes = changes
        self._members = members
        self._groups = groups
        self._clear_later = clear_later

    def create(
        self,
        ctx: Context,
        user_id: str,
        member_ids: Sequence[str],
        *,
        unique: str,
        profile: Mapping[str, Any],
    ) -> Group:
        """Creates a group that the user owns.

        Args:
            ctx: Of the request.
            user_id: Who creates it.
            member_ids: Who else is in it from the beginning.
            unique: What its id is made of; the same one again gives the same group.
            profile: Its name, avatar and other fields.

        Raises:
            UserNotFoundError, BlockedError: Somebody cannot be added.
        """
        others = [one for one in dict.fromkeys(member_ids) if one != user_id]
        self._members.require_addable(user_id, others)
        now = self._changes.now()
        group = Group(id=group_id(unique), owner_id=user_id, created_at=now, **profile)
        first, rest = others[: MAX_ROWS - 1], others[MAX_ROWS - 1 :]
        rows = [
            ConversationMember(conversation_id=group.id, user_id=user_id, role=Role.OWNER),
            *(ConversationMember(conversation_id=group.id, user_id=one) for one in first),
        ]
        made = self._changes.create(ctx, group, rows)
        return self._members.add(ctx, user_id, made.id, rest) if rest else made

    def get(self, user_id: str, wanted_id: str) -> tuple[Group, ConversationMember]:
        """A group as one of its members sees it, and their row.

        Raises:
            GroupNotFoundError: There is no such group, or it was dismissed.
            NotMemberError: The user is not in it.
        """
        if wanted_id == WORLD:
            return world(), ConversationMember(conversation_id=WORLD, user_id=user_id)
        standing = self._groups.standings(user_id, (wanted_id,)).get(wanted_id)
        if standing is None or standing.group.dismissed:
            raise GroupNotFoundError
        if standing.member is None:
            raise NotMemberError
        return standing.group, standing.member

    def update(
        self, ctx: Context, user_id: str, wanted_id: str, changes: Mapping[str, Any]
    ) -> Group:
        """Changes fields of a group: name, avatar, announcement, join policy, muted until.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """

        def decide(now: Situation) -> Decision | None:
            now.require(Action.EDIT, user_id)
            different = {key: one for key, one in changes.items() if one != getattr(now.group, key)}
            if not different:
                return None
            details = dict(different)
            if until := details.get("muted_until"):
                details["muted_until"] = rfc3339(until)
            return Decision(
                group=replace(now.group, **different),
                event="group.updated",
                details=details,
                has_line=bool(_ANNOUNCED & different.keys()),
            )

        return self._changes.change(ctx, wanted_id, user_id, (), decide)

    def transfer(self, ctx: Context, user_id: str, wanted_id: str, heir_id: str) -> Group:
        """Makes another member the owner; the owner before is an admin then.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
            NotFoundError: The other one is no member.
        """

        def decide(now: Situation) -> Decision | None:
            if user_id in now.rows and now.group.owner_id == heir_id:
                return None
            now.require(Action.TRANSFER, user_id)
            if heir_id not in now.rows:
                raise NotFoundError("user_id: this user is not in the group")
            return Decision(
                group=replace(now.group, owner_id=heir_id),
                event="group.transferred",
                updated=[
                    replace(now.rows[heir_id], role=Role.OWNER, muted_until=0.0),
                    replace(now.rows[user_id], role=Role.ADMIN),
                ],
                details={"owner_id": heir_id},
            )

        return self._changes.change(ctx, wanted_id, user_id, (heir_id,), decide)

    def dismiss(
        self, ctx: Context, user_id: str, wanted_id: str, *, only_if_alone: bool = False
    ) -> None:
        """Ends a group for everybody, or only a group of nobody else.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """

        def decide(now: Situation) -> Decision | None:
            now.require(Action.DISMISS, user_id)
            if only_if_alone and now.group.member_count != 1:
                return None
            # Before it is dismissed, for afterwards nobody would: it finds out what became of it.
            self._clear_later(wanted_id)
            return Decision(group=replace(now.group, dismissed=True), event="group.dismissed")

        self._changes.change(ctx, wanted_id, user_id, (), decide)


def world() -> Group:
    """The world chat room: a group that everybody is in and nobody changes."""
    return Group(id=WORLD, name="World", owner_id="", member_count=None)
