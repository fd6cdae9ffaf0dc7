from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from chalicelib.logic.audiences import Audience
from chalicelib.logic.webhook_fanout import (
    MAX_AGE_SECONDS,
    ChangedTogether,
    Remembered,
    StoredTogether,
    WebhookFanout,
    event_of,
)
from chalicelib.models import Bot, Hears, Webhook, WebhookPost, direct_id, direct_members
from tests.fakes_accounts import Clock
from tests.fakes_integration import FakeReader, bot, webhook

GROUP = "g-1"
DIRECT = direct_id("ann", "robot")


class Desk:
    """Receivers, bots and a group; ``joined`` are its members."""

    def __init__(self) -> None:
        self.webhooks: list[Webhook] = []
        self.bots: list[Bot] = []
        self.joined: dict[str, int] = {}
        self.reader = FakeReader()
        self.posts: list[tuple[str, WebhookPost]] = []
        self.fanout = WebhookFanout(
            webhooks=lambda: self.webhooks,
            bots=lambda: self.bots,
            audiences=self,
            reader=self.reader,
            enqueue=self.posts.extend,
        )

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]:
        return {
            key: Audience(dict.fromkeys(direct_members(key) or (), 0) or self.joined)
            for key in conversation_ids
        }

    def spread(self, conversation_id: str, *seqs: int) -> list[tuple[str, int]]:
        """Who gets a post of which of these messages."""
        rows = self.reader.rows
        stored = StoredTogether(
            trace_id="t1",
            conversation_id=conversation_id,
            conversation_type="group",
            senders={seq: rows[conversation_id, seq]["sender_id"] for seq in seqs},
        )
        self.posts.clear()
        self.fanout.spread([stored])
        return [(one.target_id, one.seq) for _, one in self.posts]

    def say(self, sender_id: str, conversation_id: str = GROUP, **more: Any) -> Sequence[Any]:
        """Who gets a post of such a message."""
        self.reader.add(conversation_id, 5, sender_id, **more)
        return [target for target, _ in self.spread(conversation_id, 5)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("APP-19")
def test_each_active_receiver_gets_each_message_in_its_trace(desk: Desk) -> None:
    desk.webhooks = [webhook("w1"), webhook("w2"), webhook("w3", active=False)]
    for seq in (1, 2):
        desk.reader.add(GROUP, seq, "ann")

    assert desk.spread(GROUP, 1, 2) == [("w1", 1), ("w2", 1), ("w1", 2), ("w2", 2)]
    assert {trace for trace, _ in desk.posts} == {"t1"}


def test_nothing_is_read_where_nobody_wants_to_know(desk: Desk) -> None:
    desk.bots = [bot("robot")]
    desk.reader.add(GROUP, 1, "ann")

    assert desk.spread(GROUP, 1) == []
    assert desk.reader.asked == 0


def test_a_system_line_is_an_event_of_its_group(desk: Desk) -> None:
    desk.webhooks = [webhook("w1"), webhook("w2", events=("group.member_added",))]

    line = desk.say(
        "ann", type="system", content='{"event":"group.member_added","actor":"ann","users":["bob"]}'
    )

    assert line == ["w2"]
    assert desk.posts[0][1].event == "group.member_added"


def test_a_line_whose_content_is_gone_is_no_event() -> None:
    assert event_of({"type": "system", "content": ""}) == ""


def test_a_bot_hears_everything_in_its_direct_conversations(desk: Desk) -> None:
    desk.bots = [bot("robot"), bot("other")]

    assert desk.say("ann", DIRECT) == ["robot"]
    assert desk.say("robot", DIRECT) == []


def test_in_a_group_a_bot_hears_mentions_or_all(desk: Desk) -> None:
    desk.joined = {"ann": 0, "quiet": 0, "loud": 0}
    desk.bots = [bot("quiet"), bot("loud", hears=Hears.ALL), bot("stranger", hears=Hears.ALL)]

    assert desk.say("ann") == ["loud"]
    assert desk.say("ann", mentions=["quiet"]) == ["quiet", "loud"]
    assert desk.say("ann", mentions=["all"]) == ["quiet", "loud"]
    assert desk.say("ann", mentions=["bob"]) == ["loud"]


def test_a_bot_does_not_get_what_was_written_before_it_joined(desk: Desk) -> None:
    desk.joined = {"loud": 5}
    desk.bots = [bot("loud", hears=Hears.ALL)]
    desk.reader.add(GROUP, 6, "ann")

    assert desk.say("ann") == []
    assert desk.spread(GROUP, 5, 6) == [("loud", 6)]


def test_bots_hear_each_other_only_where_they_ask_to(desk: Desk) -> None:
    desk.joined = {"one": 0, "two": 0}
    desk.bots = [bot("one", hears=Hears.ALL), bot("two", hears=Hears.ALL, hears_bots=True)]

    assert desk.say("one") == ["two"]
    assert desk.say("two") == []


def test_bots_without_an_address_and_system_lines_make_no_posts_for_bots(desk: Desk) -> None:
    desk.joined = {"loud": 0, "silent": 0}
    desk.bots = [bot("loud", hears=Hears.ALL), bot("silent", url="", hears=Hears.ALL)]

    assert desk.say("ann", type="system", content='{"event":"group.updated"}') == []
    assert desk.say("ann", content="", recalled=True) == []
    assert desk.say("ann") == ["loud"]


def test_the_world_is_not_read_to_bots(desk: Desk) -> None:
    desk.bots = [bot("loud", hears=Hears.ALL)]

    assert desk.say("ann", "world", mentions=["loud"]) == []


def test_a_list_is_read_again_when_it_is_some_seconds_old_or_a_fresh_one_is_wanted() -> None:
    clock, rows = Clock(), ["a"]
    remembered = Remembered(lambda: list(rows), clock)
    assert remembered() == ["a"]

    rows.append("b")

    assert remembered() == ["a"]
    assert remembered(fresh=True) == ["a", "b"]
    rows.append("c")
    clock.now += MAX_AGE_SECONDS
    assert remembered() == ["a", "b", "c"]


def changed(*kinds: str) -> ChangedTogether:
    return ChangedTogether(
        trace_id="t1",
        conversation_id=GROUP,
        conversation_type="group",
        changes=[{"id": f"x{at}", "seq": 5, "kind": kind} for at, kind in enumerate(kinds)],
    )


@pytest.mark.req("APP-19")
def test_a_change_goes_to_who_wants_its_kind_and_no_message_is_read(desk: Desk) -> None:
    desk.webhooks = [
        webhook("w1", events=("message.edited", "message.reacted")),
        webhook("w2", events=("message.recalled",)),
        webhook("w3", events=("message.edited",), active=False),
        webhook("w4"),
    ]
    desk.bots = [bot("robot", hears=Hears.ALL)]

    desk.fanout.spread_changes([changed("edit", "recall"), changed("react", "of a later version")])

    assert [(one.target_id, one.event, one.change["id"]) for _, one in desk.posts] == [
        ("w1", "message.edited", "x0"),
        ("w2", "message.recalled", "x1"),
        ("w1", "message.reacted", "x0"),
    ]
    assert {(trace, one.seq, one.conversation_type) for trace, one in desk.posts} == {
        ("t1", 5, "group")
    }
    assert desk.reader.asked == 0
