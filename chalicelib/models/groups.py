"""Groups, and how they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.models.messages import WORLD, ConversationMember, ConversationType

MAX_GROUP_MEMBERS = 10_000
LARGE_GROUP = 300  # members; in a larger group nobody gets pointers or events about others
FIRST_GROUP = "g-"  # what their ids begin with, and so before all of them


class JoinPolicy(StrEnum):
    """How people get into a group, beside being added by an admin."""

    OPEN = "open"  # whoever knows its id joins, and every member adds others
    APPROVAL = "approval"  # whoever knows its id asks, and an admin decides
    INVITE = "invite"  # only with an invite link


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group (requirement IM-6); the world chat room is the one with the id ``world``.

    Attributes:
        member_count: Of the world chat room None: everybody is in it.
        version: How often it, its members or their roles were changed.
        muted_until: Unix seconds; until then only owner and admins write.
        large: It has had more members than `LARGE_GROUP`; that never ends, so that nobody's
            backlog is looked for in the wrong place.
        dismissed: It is over: nobody reads it or writes to it any more.
        pending: The JSON of the system line of the latest change, until Kafka has it.
    """

    id: str
    name: str
    owner_id: str
    avatar: str = ""
    announcement: str = ""
    member_count: int | None = 0
    version: int = 0
    join_policy: JoinPolicy = JoinPolicy.OPEN
    muted_until: float = 0.0
    large: bool = False
    dismissed: bool = False
    pending: str = ""
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What is written in one transaction, if the group is as it was read.

    Attributes:
        old: As it was read, None for a new one.
        new: As it shall be.
        added: New members.
        removed: Users who are members no more.
        updated: Members with another role, or muted until another time.
        answered: The user whose request to join this answers.
        link_id: The invite link that this uses once.
    """

    old: Group | None
    new: Group
    added: Sequence[ConversationMember] = ()
    removed: Sequence[str] = ()
    updated: Sequence[ConversationMember] = ()
    answered: str = ""
    link_id: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A group, and the row of a user who is a member."""

    group: Group
    member: ConversationMember | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """Somebody wants to join a group."""

    group_id: str
    user_id: str
    created_at: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteLink:
    """Lets people into a group.

    Attributes:
        expires_at: Unix seconds.
        max_uses: How many people it lets in; 0 for any number.
        uses: How many it has let in.
    """

    id: str
    group_id: str
    created_by: str
    created_at: str
    expires_at: float
    max_uses: int = 0
    uses: int = 0

    @property
    def token(self) -> str:
        """What somebody joins with."""
        return f"{self.group_id}.{self.id}"


def group_id(unique: str) -> str:
    """The id of a group, which is also that of its conversation."""
    return FIRST_GROUP + unique


def is_group(conversation_id: str) -> bool:
    """Whether this is the id of a group other than the world chat room."""
    return conversation_id.startswith(FIRST_GROUP)


def conversation_type(conversation_id: str) -> ConversationType:
    """What kind of conversation an id is of."""
    if conversation_id == WORLD:
        return ConversationType.WORLD
    return ConversationType.GROUP if is_group(conversation_id) else ConversationType.DIRECT
