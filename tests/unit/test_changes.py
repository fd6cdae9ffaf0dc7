from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import (
    ConversationNotFoundError,
    ForbiddenError,
    IMError,
    LimitReachedError,
    MessageNotFoundError,
    MutedError,
    NotMemberError,
    TooLateError,
)
from chalicelib.logic.changes import MAX_EMOJI, ChangeService
from chalicelib.logic.policies import MessagePolicy
from chalicelib.models import Change, Changed, ChangeKind, Reaction, Role, direct_id, rfc3339
from tests.fakes import FakeConnections, FakeLog, World
from tests.fakes_changes import FakeChanges, readable
from tests.fakes_groups import group_access, grouped
from tests.fakes_relations import open_access
from tests.unit.test_delivery import record, writer

ROOM = direct_id("ann", "bob")
GROUP = "g-1"
CTX = Context()


class Changes:
    """Ann wrote the first message of a room, bob the second; owen owns the group."""

    def __init__(self, room: str = ROOM, **policy: int) -> None:
        self.world = World()
        for user in ("owen", "ann", "bob", "cat"):
            self.world.user(user)
        grouped(self.world, GROUP, "owen", "ann", "bob")
        self.room = room
        self.accepted: list[Change] = []
        self.say("ann", 1)
        self.say("bob", 2)
        self.service = ChangeService(
            access=open_access(FakeDirectory(self.world), self.world),
            groups=group_access(self.world),
            messages=readable(self.world),
            policy=lambda: MessagePolicy(**policy),
            enqueue=lambda _ctx, one: self.accepted.append(one),
            clock=self.world.clock,
            new_id=lambda: "id",
        )

    def say(self, user: str, number: int, **members: Any) -> None:
        one = record(number, number, sender=user, room=self.room)
        body = {"type": "text", "created_at": rfc3339(self.world.now - 60), **members}
        messages = [{**dict(message), **body} for message in one.messages]
        writer(self.world).deliver([replace(one, messages=messages)])

    def role(self, user: str, role: Role) -> None:
        row = self.world.members[GROUP, user]
        self.world.members[GROUP, user] = replace(row, role=role)

    def edit(self, user: str = "ann", seq: int = 1) -> None:
        self.service.edit(CTX, user, self.room, seq, "new")

    def recall(self, user: str = "ann", seq: int = 1) -> None:
        self.service.recall(CTX, user, self.room, seq)

    def react(self, user: str = "ann", seq: int = 1, emoji: str = "👍") -> None:
        self.service.react(CTX, user, self.room, seq, emoji, remove=False)


class FakeDirectory(FakeConnections):
    def exists(self, user_id: str) -> bool:
        return user_id in self.users((user_id,))

    existed = exists


def refused(error: type[IMError], call: Callable[[], None]) -> None:
    with pytest.raises(error):
        call()


def test_an_accepted_change_goes_to_kafka() -> None:
    on = Changes()

    on.edit()
    on.service.react(CTX, "bob", ROOM, 1, "👍", remove=True)
    on.recall()

    first, second, third = on.accepted
    assert first == Change(
        conversation_id=ROOM,
        seq=1,
        kind=ChangeKind.EDIT,
        user_id="ann",
        at=rfc3339(on.world.now),
        id="id",
        content="new",
        emoji="",
        remove=False,
    )
    assert (second.kind, second.emoji, second.remove) == (ChangeKind.REACT, "👍", True)
    assert (third.kind, third.content) == (ChangeKind.RECALL, "")


def test_only_the_sender_edits_and_recalls() -> None:
    on = Changes()

    refused(ForbiddenError, lambda: on.edit("bob"))
    refused(ForbiddenError, lambda: on.recall("bob"))
    on.react("bob")

    assert [one.kind for one in on.accepted] == [ChangeKind.REACT]


def test_the_policy_says_how_long() -> None:
    on = Changes(edit_seconds=60, recall_seconds=61)

    refused(TooLateError, on.edit)
    on.recall()

    assert len(on.accepted) == 1


def test_what_is_not_there_cannot_be_changed() -> None:
    on = Changes()

    for call in (on.edit, on.recall, on.react):
        refused(MessageNotFoundError, lambda call=call: call(seq=9))
        refused(NotMemberError, lambda call=call: call("cat"))
    refused(ConversationNotFoundError, lambda: on.service.recall(CTX, "ann", "nowhere", 1))
    assert on.accepted == []


def test_of_a_recalled_message_only_the_recall_may_be_repeated() -> None:
    on = Changes()
    segment = FakeLog(on.world).containing(ROOM, 1)
    assert segment is not None
    FakeLog(on.world).blank(segment, (1,), {"recalled": True})

    refused(MessageNotFoundError, on.edit)
    refused(MessageNotFoundError, on.react)
    on.recall()

    assert [one.kind for one in on.accepted] == [ChangeKind.RECALL]


def test_a_line_of_the_system_stays_as_it_is() -> None:
    on = Changes(GROUP)
    on.say("owen", 3, type="system")

    for call in (on.edit, on.recall, on.react):
        refused(ForbiddenError, lambda call=call: call("owen", 3))


def test_who_is_muted_recalls_and_does_no_more() -> None:
    on = Changes(GROUP)
    row = on.world.members[GROUP, "ann"]
    on.world.members[GROUP, "ann"] = replace(row, muted_until=on.world.now + 60)

    refused(MutedError, on.edit)
    refused(MutedError, on.react)
    on.recall()

    assert len(on.accepted) == 1


def test_admins_recall_what_those_below_them_wrote_at_any_time() -> None:
    on = Changes(GROUP, recall_seconds=0)
    on.role("bob", Role.ADMIN)

    refused(TooLateError, on.recall)
    refused(ForbiddenError, lambda: on.recall("ann", 2))
    on.recall("bob", 1)
    on.recall("owen", 2)
    del on.world.members[GROUP, "ann"]
    on.recall("bob", 1)

    assert [(one.user_id, one.seq) for one in on.accepted] == [("bob", 1), ("owen", 2), ("bob", 1)]


def test_a_message_has_so_many_different_reactions() -> None:
    on = Changes()
    reactions = {str(number): Reaction(1, ("bob",)) for number in range(MAX_EMOJI)}
    FakeChanges(on.world).put(Changed(conversation_id=ROOM, seq=1, reactions=reactions))
    segment = FakeLog(on.world).containing(ROOM, 1)
    assert segment is not None
    FakeLog(on.world).mark_changed(segment)

    refused(LimitReachedError, lambda: on.react(emoji="one more"))
    on.react(emoji="7")
    on.service.react(CTX, "ann", ROOM, 1, "one more", remove=True)

    assert len(on.accepted) == 2
