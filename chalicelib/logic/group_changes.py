"""Changing a group: decided on what was read, written if it is still so, then told."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    ForbiddenError,
    GroupFullError,
    GroupNotFoundError,
    NotMemberError,
    UnavailableError,
)
from chalicelib.logic.group_news import system_line
from chalicelib.logic.group_rules import Action, may
from chalicelib.models import (
    LARGE_GROUP,
    MAX_GROUP_MEMBERS,
    WORLD,
    ConversationMember,
    Group,
    GroupChange,
    rfc3339,
)

MAX_ROWS = 90  # of members in one change: a transaction of DynamoDB has at most 100 items
_ATTEMPTS = 20
_LONGEST_PAUSE_SECONDS = 0.4


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...
    def change(self, change: GroupChange) -> bool: ...


class Members(Protocol):
    """The stored rows of members."""

    def get(
        self, pairs: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], ConversationMember]: ...


class News(Protocol):
    """Tells members of changes."""

    def tell(
        self, ctx: Context, change: GroupChange, event: str, said: Mapping[str, Any]
    ) -> None: ...
    def hand_on(self, ctx: Context, group: Group) -> None: ...


@dataclass(frozen=True, slots=True)
class Situation:
    """A group, and those of some users who are members, as a decision finds them."""

    group: Group
    rows: Mapping[str, ConversationMember]

    def require(self, action: Action, actor_id: str, target_id: str = "") -> None:
        """Refuses what the actor may not do; ``target_id`` is a member whom it is done to.

        Raises:
            NotMemberError: The actor is no member.
            ForbiddenError: Their role does not allow it.
        """
        if actor_id not in self.rows:
            raise NotMemberError
        target = self.rows[target_id].role if target_id else None
        policy = self.group.join_policy
        if not may(action, self.rows[actor_id].role, target=target, policy=policy):
            raise ForbiddenError("your role in the group does not allow this")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a group.

    Attributes:
        group: As it shall be; version, count and times are filled in.
        event: What members are told: ``group.member_added``.
        details: What else there is to know of it.
        has_line: Whether a system line says it in the conversation, too.
        added: See `GroupChange`, as the rest.
    """

    group: Group
    event: str
    details: Mapping[str, Any] = field(default_factory=dict)
    has_line: bool = True
    added: Sequence[ConversationMember] = ()
    removed: Sequence[str] = ()
    updated: Sequence[ConversationMember] = ()
    answered: str = ""
    link_id: str = ""


Decide = Callable[[Situation], Decision | None]


class GroupChanges:
    """Changes groups when others change them at the same moment."""

    def __init__(
        self,
        *,
        groups: Groups,
        members: Members,
        news: News,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._groups = groups
        self._members = members
        self._news = news
        self._clock = clock
        self._sleep = sleep

    def now(self) -> str:
        """The time, for what is written."""
        return rfc3339(self._clock())

    def read(self, group_id: str, *user_ids: str) -> Situation:
        """A group with the rows of those of the users who are members.

        Raises:
            ForbiddenError: It is the world chat room.
            GroupNotFoundError: There is no such group, or it was dismissed.
        """
        return self._situation(self._group(group_id), user_ids)

    def create(self, ctx: Context, group: Group, rows: Sequence[ConversationMember]) -> Group:
        """Stores a new group with its first members; the same one again is no fault."""
        decision = Decision(group=group, event="group.created", added=rows)
        change = self._change(None, group.owner_id, decision)
        if self._groups.change(change):
            self._news.tell(ctx, change, decision.event, _said(group.owner_id, decision))
            return change.new
        return self.change(ctx, group.id, group.owner_id, (), lambda _situation: None)

    def change(
        self, ctx: Context, group_id: str, actor_id: str, others: Iterable[str], decide: Decide
    ) -> Group:
        """Changes a group.

        Args:
            ctx: Of the request.
            group_id: Which group.
            actor_id: Who changes it.
            others: Whom else the decision is about.
            decide: Gets how things stand now; None leaves them so. Asked again when somebody else
                was faster.

        Returns:
            The group as it is then.

        Raises:
            ForbiddenError, GroupNotFoundError: As `read`.
            GroupFullError: It would have too many members.
            UnavailableError: Others were faster again and again; or Kafka has not taken a system
                line: the change may have been made, and the same request again hands it on.
        """
        users = (actor_id, *others)
        for attempt in range(_ATTEMPTS):
            old = self._group(group_id)
            if old:
                self._news.hand_on(ctx, old)
            situation = self._situation(old, users)
            decision = decide(situation)
            if decision is None:
                return situation.group
            change = self._change(situation.group, actor_id, decision)
            if self._groups.change(change):
                self._news.tell(ctx, change, decision.event, _said(actor_id, decision))
                return change.new
            self._sleep(random.uniform(0, min(0.01 * 2**attempt, _LONGEST_PAUSE_SECONDS)))
        raise UnavailableError("others keep changing this group")

    def _group(self, group_id: str) -> Group | None:
        if group_id == WORLD:
            raise ForbiddenError("the world chat room is everybody's: nobody can change it")
        return self._groups.get_groups((group_id,)).get(group_id)

    def _situation(self, group: Group | None, user_ids: Sequence[str]) -> Situation:
        if group is None or group.dismissed:
            raise GroupNotFoundError
        # After the group: what changes in between makes the group's version another one.
        rows = self._members.get((group.id, one) for one in user_ids)
        return Situation(group, {user_id: row for (_, user_id), row in rows.items()})

    def _change(self, old: Group | None, actor_id: str, decision: Decision) -> GroupChange:
        before = old or replace(decision.group, member_count=0, version=0)
        count = (before.member_count or 0) + len(decision.added) - len(decision.removed)
        if decision.added and count > MAX_GROUP_MEMBERS:
            raise GroupFullError
        new = replace(
            decision.group,
            version=before.version + 1,
            member_count=count,
            large=before.large or count > LARGE_GROUP,
            updated_at=self.now(),
        )
        said = _said(actor_id, decision)
        pending = system_line(new, decision.event, said) if decision.has_line else ""
        return GroupChange(
            old=old,
            new=replace(new, pending=pending),
            added=decision.added,
            removed=decision.removed,
            updated=decision.updated,
            answered=decision.answered,
            link_id=decision.link_id,
        )


def _said(actor_id: str, decision: Decision) -> dict[str, Any]:
    users = [row.user_id for row in (*decision.added, *decision.updated)]
    return {"actor": actor_id, "users": [*users, *decision.removed], **decision.details}
