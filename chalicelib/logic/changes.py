"""Accepting changes of messages: checked here, once; after that they are only carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import (
    ForbiddenError,
    IMError,
    LimitReachedError,
    MessageNotFoundError,
    NotMemberError,
    TooLateError,
)
from chalicelib.frames import Draft
from chalicelib.logic.group_rules import Action, may
from chalicelib.logic.messages import Acceptance
from chalicelib.logic.overlay import is_gone
from chalicelib.logic.policies import MessagePolicy
from chalicelib.logic.reading import ReadableMessages
from chalicelib.models import (
    Change,
    ChangeKind,
    ContentType,
    ConversationMember,
    ConversationType,
    JoinPolicy,
    Role,
    is_group,
    rfc3339,
    unix_seconds,
)

MAX_EMOJI = 20  # different ones on a message


class Access(Protocol):
    """Who may write where."""

    def resolve(self, user_id: str, draft: Draft) -> tuple[str, ConversationType]: ...


class Groups(Protocol):
    """Who is in groups, and what they are there."""

    def member(self, user_id: str, group_id: str) -> ConversationMember: ...


class Enqueue(Protocol):
    """Hands an accepted change to Kafka."""

    def __call__(self, ctx: Context, change: Change, /) -> None: ...


class ChangeService:
    """Takes edits, recalls and reactions in; Kafka has a change when its method returns."""

    def __init__(
        self,
        *,
        access: Access,
        groups: Groups,
        messages: ReadableMessages,
        policy: Callable[[], MessagePolicy],
        enqueue: Enqueue,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        acceptance: Acceptance | None = None,
    ) -> None:
        self._access = access
        self._groups = groups
        self._messages = messages
        self._policy = policy
        self._enqueue = enqueue
        self._clock = clock
        self._new_id = new_id
        self._acceptance = acceptance

    def edit(
        self, ctx: Context, user_id: str, conversation_id: str, seq: int, content: str
    ) -> None:
        """Gives one's own message another content.

        Raises:
            ForbiddenError: It is somebody else's.
            TooLateError: It is older than the policy allows.
            MessageNotFoundError: There is none, or nothing is left of it.
            IMError: As for sending a message there.
        """
        self._require_writer(user_id, conversation_id)
        body = self._standing(user_id, conversation_id, seq)
        if body["sender_id"] != user_id:
            raise ForbiddenError("only who sent a message edits it")
        self._require_young(body, self._policy().edit_seconds)
        if self._acceptance and self._acceptance.is_on():
            content = _reviewed(ctx, self._acceptance, {**body, "content": content})
        self._accept(ctx, user_id, body, ChangeKind.EDIT, content=content)

    def recall(self, ctx: Context, user_id: str, conversation_id: str, seq: int) -> None:
        """Takes a message back: one's own, or as an admin that of a member below.

        Raises:
            ForbiddenError: It is somebody else's.
            TooLateError: It is one's own, and older than the policy allows.
            MessageNotFoundError: There is none.
            ConversationNotFoundError, NotMemberError: The user may not read there.
        """
        body = self._message(user_id, conversation_id, seq)
        if body["sender_id"] == user_id:
            self._require_young(body, self._policy().recall_seconds)
        elif not self._is_above(user_id, conversation_id, body["sender_id"]):
            raise ForbiddenError("only who sent a message, or an admin above them, recalls it")
        self._accept(ctx, user_id, body, ChangeKind.RECALL)

    def react(
        self,
        ctx: Context,
        user_id: str,
        conversation_id: str,
        seq: int,
        emoji: str,
        *,
        remove: bool,
    ) -> None:
        """Gives a reaction, or takes it back; doing so again changes nothing.

        Raises:
            LimitReachedError: It would be the 21st emoji on this message.
            MessageNotFoundError: There is none, or nothing is left of it.
            IMError: As for sending a message there.
        """
        self._require_writer(user_id, conversation_id)
        body = self._standing(user_id, conversation_id, seq)
        there = body.get("reactions", {})
        if not remove and emoji not in there and len(there) >= MAX_EMOJI:
            raise LimitReachedError(f"a message has at most {MAX_EMOJI} different reactions")
        self._accept(ctx, user_id, body, ChangeKind.REACT, emoji=emoji, remove=remove)

    def _require_writer(self, user_id: str, conversation_id: str) -> None:
        draft = Draft(client_msg_id="", content="", conversation_id=conversation_id)
        self._access.resolve(user_id, draft)

    def _message(self, user_id: str, conversation_id: str, seq: int) -> dict[str, Any]:
        """A message that the user may read, and that is no line of the system."""
        body = self._messages.one(user_id, conversation_id, seq)
        if body["type"] == ContentType.SYSTEM:
            raise ForbiddenError("lines of the system stay as they are")
        return body

    def _standing(self, user_id: str, conversation_id: str, seq: int) -> dict[str, Any]:
        body = self._message(user_id, conversation_id, seq)
        if is_gone(body):
            raise MessageNotFoundError("nothing is left of this message")
        return body

    def _require_young(self, body: Mapping[str, Any], seconds: int) -> None:
        if self._clock() - unix_seconds(body["created_at"]) >= seconds:
            raise TooLateError(f"the message is older than {seconds} s")

    def _is_above(self, user_id: str, conversation_id: str, sender_id: str) -> bool:
        if not is_group(conversation_id):
            return False
        actor = self._groups.member(user_id, conversation_id).role
        try:
            target = self._groups.member(sender_id, conversation_id).role
        except NotMemberError:
            target = Role.MEMBER  # has left
        return may(Action.RECALL, actor, target=target, policy=JoinPolicy.INVITE)

    def _accept(
        self,
        ctx: Context,
        user_id: str,
        body: Mapping[str, Any],
        kind: ChangeKind,
        *,
        content: str = "",
        emoji: str = "",
        remove: bool = False,
    ) -> None:
        change = Change(
            conversation_id=body["conversation_id"],
            seq=body["seq"],
            kind=kind,
            user_id=user_id,
            at=rfc3339(self._clock()),
            id=self._new_id(),
            content=content,
            emoji=emoji,
            remove=remove,
        )
        self._enqueue(ctx, change)


def _reviewed(ctx: Context, acceptance: Acceptance, body: Mapping[str, Any]) -> str:
    """The content that an edited message gets."""
    (verdict,) = acceptance.review(ctx, "edit", [body])
    if isinstance(verdict, IMError):
        raise verdict
    content: str = verdict.get("content", body["content"])
    return content
