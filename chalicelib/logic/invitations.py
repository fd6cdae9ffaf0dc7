"""Ways into a group beside being added: joining, asking to join, invite links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    ForbiddenError,
    InviteExpiredError,
    NotFoundError,
    UserNotFoundError,
)
from chalicelib.logic.friends import Tell
from chalicelib.logic.group_changes import Decision, GroupChanges, Situation
from chalicelib.logic.group_members import GroupMemberService
from chalicelib.logic.group_rules import Action
from chalicelib.models import Group, InviteLink, JoinPolicy, JoinRequest, is_group


class Invitations(Protocol):
    """The stored requests and links."""

    def ask(self, request: JoinRequest) -> None: ...
    def request(self, group_id: str, user_id: str) -> JoinRequest | None: ...
    def requests(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[JoinRequest], str | None]: ...
    def withdraw(self, group_id: str, user_id: str) -> bool: ...
    def add_link(self, link: InviteLink) -> None: ...
    def link(self, group_id: str, link_id: str) -> InviteLink | None: ...
    def links(
        self, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[InviteLink], str | None]: ...
    def revoke(self, group_id: str, link_id: str) -> bool: ...


class InvitationService:
    """Lets people in who ask, or have a link."""

    def __init__(
        self,
        *,
        changes: GroupChanges,
        members: GroupMemberService,
        invitations: Invitations,
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._changes = changes
        self._members = members
        self._invitations = invitations
        self._tell = tell
        self._clock = clock

    def join(self, ctx: Context, user_id: str, group_id: str, message: str) -> Group | JoinRequest:
        """Joins an open group, or asks to join one that wants to approve it.

        Returns:
            The group for who is a member then, else the request.

        Raises:
            ForbiddenError: The group takes people by invitation only.
        """
        asked: list[JoinRequest] = []

        def decide(now: Situation) -> Decision | None:
            asked.clear()
            if user_id in now.rows:
                return None
            match now.group.join_policy:
                case JoinPolicy.OPEN:
                    return self._joined(now.group, user_id)
                case JoinPolicy.INVITE:
                    raise ForbiddenError("this group takes people by invitation only")
            asked.append(
                JoinRequest(
                    group_id=group_id,
                    user_id=user_id,
                    created_at=self._changes.now(),
                    message=message,
                )
            )
            return None

        group = self._changes.change(ctx, group_id, user_id, (), decide)
        if not asked:
            return group
        if earlier := self._invitations.request(group_id, user_id):
            return earlier
        self._invitations.ask(asked[0])
        data = {"group_id": group_id, "user_id": user_id, "message": message}
        self._tell((group.owner_id,), "group.join_requested", data)
        return asked[0]

    def accept(self, ctx: Context, user_id: str, group_id: str, other_id: str) -> Group:
        """Lets somebody in who asked; no fault where they are in already.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
            NotFoundError: They have not asked.
            UserNotFoundError: They have deleted their account; the request goes too.
        """

        def decide(now: Situation) -> Decision | None:
            now.require(Action.ADMIT, user_id)
            if other_id in now.rows:
                return None
            if self._invitations.request(group_id, other_id) is None:
                raise NotFoundError("this user has not asked to join")
            if not self._members.exists(user_id, other_id):
                self._invitations.withdraw(group_id, other_id)
                raise UserNotFoundError("who asked has deleted their account")
            rows = self._members.new_rows(group_id, [other_id])
            return Decision(
                group=now.group, event="group.member_added", added=rows, answered=other_id
            )

        group = self._changes.change(ctx, group_id, user_id, (other_id,), decide)
        self._invitations.withdraw(group_id, other_id)  # of who got in by another way
        return group

    def reject(self, user_id: str, group_id: str, other_id: str) -> None:
        """Removes a request to join; no fault where there is none.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """
        self._require(Action.ADMIT, user_id, group_id)
        if self._invitations.withdraw(group_id, other_id):
            self._tell((other_id,), "group.join_rejected", {"group_id": group_id})

    def requests(
        self, user_id: str, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[JoinRequest], str | None]:
        """A page of the requests to join.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """
        self._require(Action.ADMIT, user_id, group_id)
        return self._invitations.requests(group_id, start=start, limit=limit)

    def make_link(self, user_id: str, link: InviteLink) -> InviteLink:
        """Stores a link.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """
        self._require(Action.LINK, user_id, link.group_id)
        earlier = self._invitations.link(link.group_id, link.id)
        if earlier is None:
            self._invitations.add_link(link)
        return earlier or link

    def links(
        self, user_id: str, group_id: str, *, start: str | None, limit: int
    ) -> tuple[list[InviteLink], str | None]:
        """A page of the links.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """
        self._require(Action.LINK, user_id, group_id)
        return self._invitations.links(group_id, start=start, limit=limit)

    def revoke(self, user_id: str, group_id: str, link_id: str) -> None:
        """Ends a link; no fault where there is none.

        Raises:
            ForbiddenError, NotMemberError: The user may not.
        """
        self._require(Action.LINK, user_id, group_id)
        self._invitations.revoke(group_id, link_id)

    def join_by_link(self, ctx: Context, user_id: str, token: str) -> Group:
        """Joins with a link, whatever the group's policy; a member uses it up no further.

        Raises:
            InviteExpiredError: The link is none, or not good any more.
        """
        group_id, _, link_id = token.partition(".")
        if not is_group(group_id) or not link_id:
            raise InviteExpiredError

        def decide(now: Situation) -> Decision | None:
            link = self._invitations.link(group_id, link_id)
            if user_id in now.rows:
                return None
            if link is None or link.expires_at <= self._clock() or 0 < link.max_uses <= link.uses:
                raise InviteExpiredError
            return self._joined(now.group, user_id, link_id)

        return self._changes.change(ctx, group_id, user_id, (), decide)

    def _joined(self, group: Group, user_id: str, link_id: str = "") -> Decision:
        rows = self._members.new_rows(group.id, [user_id])
        return Decision(group=group, event="group.member_joined", added=rows, link_id=link_id)

    def _require(self, action: Action, user_id: str, group_id: str) -> None:
        self._changes.read(group_id, user_id).require(action, user_id)
