"""What the members of a group may do: one table, and nothing that it depends on but its rows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.models import JoinPolicy, Role


class Action(StrEnum):
    """What is done to a group or to one of its members."""

    EDIT = "edit"  # name, avatar, announcement, join policy, muting everybody
    ADD = "add"
    ADMIT = "admit"  # answering requests to join
    LINK = "link"  # making and revoking invite links
    MUTE = "mute"
    RECALL = "recall"  # somebody else's message
    REMOVE = "remove"
    SET_ROLE = "set_role"
    TRANSFER = "transfer"
    DISMISS = "dismiss"


_RANK: Mapping[Role, int] = {Role.MEMBER: 0, Role.ADMIN: 1, Role.OWNER: 2}
_LEAST: Mapping[Action, Role] = {
    Action.EDIT: Role.ADMIN,
    Action.ADD: Role.ADMIN,  # in an open group every member
    Action.ADMIT: Role.ADMIN,
    Action.LINK: Role.ADMIN,
    Action.MUTE: Role.ADMIN,
    Action.RECALL: Role.ADMIN,
    Action.REMOVE: Role.ADMIN,
    Action.SET_ROLE: Role.OWNER,
    Action.TRANSFER: Role.OWNER,
    Action.DISMISS: Role.OWNER,
}


def may(action: Action, actor: Role, *, target: Role | None = None, policy: JoinPolicy) -> bool:
    """Whether a member may do something.

    Args:
        action: What.
        actor: The member's role.
        target: The role of whom it is done to: always a lower one than the actor's.
        policy: How people get into the group.
    """
    if action is Action.ADD and policy is JoinPolicy.OPEN:
        return True
    if _RANK[actor] < _RANK[_LEAST[action]]:
        return False
    return target is None or _RANK[target] < _RANK[actor]


def is_muted(role: Role, *, muted_until: float, all_muted_until: float, now: float) -> bool:
    """Whether a member may not write now; muting everybody leaves owner and admins out."""
    everybody = all_muted_until > now and role is Role.MEMBER
    return everybody or muted_until > now
