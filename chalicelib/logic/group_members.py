"""The members of groups: added, removed, promoted, muted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    BlockedError,
    NotFoundError,
    OwnerMustTransferError,
    UserNotFoundError,
)
from chalicelib.logic.group_changes import MAX_ROWS, Decision, GroupChanges, Situation
from chalicelib.logic.group_rules import Action
from chalicelib.models import ConversationMember, Group, Head, Relation, Role, rfc3339


class Heads(Protocol):
    """Where conversations end."""

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]: ...


class Relations(Protocol):
    """How a user stands with those of others who exist."""

    def correspondents(self, user_id: str, other_ids: Sequence[str]) -> Mapping[str, Relation]: ...


class GroupMemberService:
    """Changes who is in a group, and what they may do there."""

    def __init__(self, *, changes: GroupChanges, heads: Heads, relations: Relations) -> None:
        self._changes = changes
        self._heads = heads
        self._relations = relations

    def require_addable(self, user_id: str, other_ids: Sequence[str]) -> None:
        """Refuses to add somebody who does not exist, or who has blocked the user.

        Raises:
            UserNotFoundError, BlockedError: The message says who.
        """
        found = self._relations.correspondents(user_id, other_ids) if other_ids else {}
        for other_id in other_ids:
            if other_id not in found:
                raise UserNotFoundError(f"there is no user {other_id}")
            if found[other_id].is_blocked(user_id):
                raise BlockedError(f"{other_id} does not want to be added by you")

    def exists(self, user_id: str, other_id: str) -> bool:
        """Whether somebody whom a user deals with has an account."""
        return other_id in self._relations.correspondents(user_id, (other_id,))

    def add(self, ctx: Context, user_id: str, group_id: str, other_ids: Iterable[str]) -> Group:
        """Adds members; who is one already stays as they are.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
            UserNotFoundError, BlockedError: Somebody cannot be added, and nobody is.
            GroupFullError: There is no room for all of them; some may have been added.
        """
        others = [one for one in dict.fromkeys(other_ids) if one != user_id]
        situation = self._changes.read(group_id, user_id)
        situation.require(Action.ADD, user_id)
        self.require_addable(user_id, others)
        group = situation.group
        for at in range(0, len(others), MAX_ROWS):
            group = self._add(ctx, user_id, group_id, others[at : at + MAX_ROWS])
        return group

    def _add(self, ctx: Context, user_id: str, group_id: str, other_ids: Sequence[str]) -> Group:
        def decide(now: Situation) -> Decision | None:
            now.require(Action.ADD, user_id)
            new = [one for one in other_ids if one not in now.rows]
            if not new:
                return None
            rows = self.new_rows(group_id, new)
            return Decision(group=now.group, event="group.member_added", added=rows)

        return self._changes.change(ctx, group_id, user_id, other_ids, decide)

    def new_rows(self, group_id: str, user_ids: Sequence[str]) -> list[ConversationMember]:
        """Rows of members who join now: they read from here on."""
        head = self._heads.get_conversations((group_id,)).get(group_id)
        start = head.last_seq if head else 0
        return [
            ConversationMember(
                conversation_id=group_id,
                user_id=user_id,
                read_seq=start,
                delivered_seq=start,
                joined_seq=start,
            )
            for user_id in user_ids
        ]

    def remove(self, ctx: Context, user_id: str, group_id: str, other_id: str) -> None:
        """Removes a member; no fault where they are none. Removing oneself is leaving.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """
        if other_id == user_id:
            self.leave(ctx, user_id, group_id)
            return

        def decide(now: Situation) -> Decision | None:
            now.require(Action.REMOVE, user_id)
            if other_id not in now.rows:
                return None
            now.require(Action.REMOVE, user_id, other_id)
            return Decision(group=now.group, event="group.member_removed", removed=[other_id])

        self._changes.change(ctx, group_id, user_id, (other_id,), decide)

    def leave(self, ctx: Context, user_id: str, group_id: str) -> None:
        """Leaves a group; no fault for who is not in it.

        Raises:
            OwnerMustTransferError: The user owns it.
        """

        def decide(now: Situation) -> Decision | None:
            if user_id not in now.rows:
                return None
            if now.rows[user_id].role is Role.OWNER:
                raise OwnerMustTransferError("transfer the group to another member, or dismiss it")
            return Decision(group=now.group, event="group.member_left", removed=[user_id])

        self._changes.change(ctx, group_id, user_id, (), decide)

    def update(
        self,
        ctx: Context,
        user_id: str,
        group_id: str,
        other_id: str,
        *,
        role: Role | None = None,
        muted_until: float | None = None,
    ) -> ConversationMember:
        """Gives a member another role, or mutes them until a time (Unix seconds, 0 for not).

        Raises:
            ForbiddenError, NotMemberError: The user may not.
            NotFoundError: The other one is no member.
        """
        found: list[ConversationMember] = []

        def decide(now: Situation) -> Decision | None:
            for action, wanted in ((Action.SET_ROLE, role), (Action.MUTE, muted_until)):
                if wanted is not None:
                    now.require(action, user_id)
            if other_id not in now.rows:
                raise NotFoundError("this user is not in the group")
            old = now.rows[other_id]
            new = replace(
                old,
                role=old.role if role is None else role,
                muted_until=old.muted_until if muted_until is None else muted_until,
            )
            found[:] = [new]
            if new == old:
                return None
            now.require(Action.MUTE, user_id, other_id)  # in any case only who stands below
            until = rfc3339(new.muted_until) if new.muted_until else None
            return Decision(
                group=now.group,
                event="group.member_updated",
                updated=[new],
                details={"role": new.role.value, "muted_until": until},
                has_line=False,
            )

        self._changes.change(ctx, group_id, user_id, (other_id,), decide)
        return found[0]
