from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.errors import UserNotFoundError
from chalicelib.logic.export_document import PAGE, ExportDocument
from chalicelib.models import (
    WORLD,
    Block,
    ConversationMember,
    Friend,
    FriendRequest,
    Placed,
    Segment,
    Session,
    User,
    direct_id,
)
from tests.fakes import FakeLog, FakeMembers, World
from tests.fakes_accounts import Clock, FakeSessions, FakeUsers
from tests.fakes_changes import reader
from tests.fakes_messaging import FakeScheduledMessages
from tests.fakes_presence import FakeSettings
from tests.fakes_push import FakePushTokens, device
from tests.fakes_relations import FakeRelations

SECTIONS = [
    "exported_at", "profile", "sessions", "friends", "blocks", "friend_requests_received",
    "friend_requests_sent", "conversations", "messages", "settings", "scheduled_messages",
    "push_devices",
]  # fmt: skip


class Desk:
    """What is kept of ann, and the document of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.world = World()
        self.users = FakeUsers()
        self.sessions = FakeSessions(self.clock)
        self.relations = FakeRelations(self.clock)
        self.history = FakeLog(self.world)
        self.members = FakeMembers(self.world)
        self.scheduled = FakeScheduledMessages()
        self.push_tokens = FakePushTokens()
        self.users.rows["ann"] = User(
            id="ann",
            username="Ann",
            password_hash="a hash",
            nickname="Zoë “A”",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            updated_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
        self.document = ExportDocument(
            users=self.users,
            sessions=self.sessions,
            relations=self.relations,
            memberships=self.members,
            reader=reader(self.world),
            settings=FakeSettings(self.world),
            scheduled=self.scheduled,
            push_devices=self.push_tokens,
            clock=self.clock,
        )

    def say(self, conversation_id: str, count: int, *, joined_seq: int = 0) -> None:
        """A conversation of ann's with so many messages, in segments of ten."""
        for first in range(1, count + 1, 10):
            messages = tuple(
                Placed(conversation_id, seq, "ann", f"m{seq}", json.dumps({"seq": seq}))
                for seq in range(first, min(first + 10, count + 1))
            )
            segment = Segment(
                conversation_id=conversation_id,
                messages=messages,
                source="",
                first_offset=0,
                last_offset=0,
            )
            self.history.append([segment])
        row = ConversationMember(
            conversation_id=conversation_id, user_id="ann", joined_seq=joined_seq, read_seq=count
        )
        self.members.add([row])

    def read(self) -> tuple[Any, int]:
        """The whole document, and in how many steps it was read."""
        text, position = self.document.read("ann")
        steps = 1
        while position is not None:
            carried = json.loads(json.dumps(position))
            more, position = self.document.read("ann", carried)
            text += more
            steps += 1
        return json.loads(text), steps


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_account_without_anything_is_exported_whole_in_one_step(desk: Desk) -> None:
    document, steps = desk.read()

    assert list(document) == SECTIONS
    assert document["profile"]["nickname"] == "Zoë “A”"
    assert all(document[name] == [] for name in SECTIONS[2:])
    assert steps == 1


def test_settings_and_drafts_are_in_it(desk: Desk) -> None:
    FakeSettings(desk.world).change("ann", WORLD, {"draft": "Tea?", "pinned": True})
    FakeSettings(desk.world).change("bob", WORLD, {"draft": "No."})

    (found,) = desk.read()[0]["settings"]

    assert (found["conversation_id"], found["draft"], found["pinned"]) == (WORLD, "Tea?", True)


def test_no_secret_is_in_it(desk: Desk) -> None:
    session = Session(
        id="s", user_id="ann", device_id="phone", refresh_hash="token hash", created_at=1.0,
        used_at=2.0, expires_at=3.0,
    )  # fmt: skip
    desk.sessions.put(session)

    document, _ = desk.read()

    assert document["sessions"][0]["device_id"] == "phone"
    assert "hash" not in json.dumps(document)


def test_devices_are_in_it_without_what_leads_to_them(desk: Desk) -> None:
    desk.push_tokens.put(device("ann"))

    document, _ = desk.read()

    (found,) = document["push_devices"]
    assert found.keys() == {"device_id", "platform", "registered_at"}
    assert "arn:" not in json.dumps(document)


@pytest.mark.req("APP-2")
def test_relations_conversations_and_messages_are_in_it(desk: Desk) -> None:
    at = "2026-01-01T00:00:00.000Z"
    asked = FriendRequest(
        id="r", sender_id="cat", receiver_id="ann", created_at=at, updated_at=at, message="hi"
    )
    desk.relations.friend_rows["ann", "bob"] = Friend(user_id="bob", created_at=at, remark="Bobby")
    desk.relations.block_rows["ann", "eve"] = Block(user_id="eve", created_at=at)
    desk.relations.kept["ann", "received", "r"] = asked
    desk.say(direct_id("ann", "bob"), 2)

    document, _ = desk.read()

    assert document["friends"] == [{"user_id": "bob", "created_at": at, "remark": "Bobby"}]
    assert document["blocks"] == [{"user_id": "eve", "created_at": at}]
    assert [one["message"] for one in document["friend_requests_received"]] == ["hi"]
    assert document["conversations"][0]["user_id"] == "bob"
    assert document["messages"] == [{"seq": 1}, {"seq": 2}]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 15 * PAGE])
def test_a_long_conversation_is_read_in_pages_each_message_once(desk: Desk, count: int) -> None:
    desk.say("d-ann-bob", count)

    document, steps = desk.read()

    assert document["messages"] == [{"seq": seq} for seq in range(1, count + 1)]
    assert steps == 1 + (count > 10 * PAGE)


def test_many_conversations_and_friends_take_several_steps(desk: Desk) -> None:
    for number in range(2 * PAGE + 1):
        desk.relations.friend_rows["ann", f"u{number:04}"] = Friend(
            user_id=f"u{number:04}", created_at=""
        )
        desk.say(f"d-ann-u{number:04}", number % 2)

    document, steps = desk.read()

    assert len(document["friends"]) == len(document["conversations"]) == 2 * PAGE + 1
    assert len(document["messages"]) == PAGE
    assert steps > 1


def test_of_a_group_only_what_came_after_joining_is_in_it(desk: Desk) -> None:
    desk.say("g-1", 5, joined_seq=3)

    document, _ = desk.read()

    assert document["messages"] == [{"seq": 4}, {"seq": 5}]


def test_the_world_room_is_nobodys_own(desk: Desk) -> None:
    desk.say(WORLD, 5)
    desk.say("x", 1)

    document, _ = desk.read()

    assert document["messages"] == [{"seq": 1}]


def test_nobody_is_exported(desk: Desk) -> None:
    with pytest.raises(UserNotFoundError):
        desk.document.read("bob")
