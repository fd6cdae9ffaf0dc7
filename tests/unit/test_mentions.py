from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.context import Context
from chalicelib.logic.mentions import MENTION_SECONDS
from chalicelib.models import AckStatus, Placed, direct_id, rfc3339
from tests.fakes import World
from tests.fakes_changes import FakeMentions, mentions
from tests.fakes_groups import grouped
from tests.unit import test_acks, test_conversations
from tests.unit.test_delivery import record, writer

pytestmark = pytest.mark.req("APP-13")
ROOM = "g-1"
USERS = ("ann", "bob", "cat")


@pytest.fixture
def world() -> World:
    return crowd()


def crowd() -> World:
    made = World()
    for user in USERS:
        made.user(user)
    grouped(made, ROOM, *USERS)
    return made


def say(
    world: World, *mentioned: str, sender: str = "ann", room: str = ROOM, **more: str
) -> Placed:
    """A message that is stored, and its mentions noted."""
    number = len(world.log(room)) + 1
    sent = record(number, number, sender=sender, room=room)
    body = {**sent.messages[0], "mentions": list(mentioned), **more}
    writer(world).deliver([replace(sent, messages=[body])])
    placed = world.log(room)[-1]
    mentions(world).note([placed])
    return placed


def unread(world: World, user: str, room: str = ROOM) -> int:
    view = test_conversations.service(world).get(user, room)
    return mentions(world).unread(user, [view]).get(room, 0)


def counts(world: World) -> list[int]:
    return [unread(world, user) for user in USERS]


def read(world: World, user: str, seq: int) -> None:
    test_acks.service(world).ack(Context(), user, ROOM, seq, AckStatus.READ)


def test_who_is_mentioned_has_it_unread_until_they_read_it(world: World) -> None:
    say(world, "bob")
    say(world)

    assert counts(world) == [0, 1, 0]
    read(world, "bob", 1)
    assert counts(world) == [0, 0, 0]


def test_everybody_is_everybody_but_the_sender(world: World) -> None:
    say(world, "all")
    say(world, "ann", "bob", sender="ann")

    assert counts(world) == [0, 2, 1]


def test_in_a_direct_conversation_everybody_is_the_other_one(world: World) -> None:
    room = direct_id("ann", "bob")

    say(world, "all", room=room)

    assert (unread(world, "ann", room), unread(world, "bob", room)) == (0, 1)


def test_noting_again_late_and_after_a_recall_changes_nothing(world: World) -> None:
    first, second = say(world, "bob"), say(world, "all")

    mentions(world).forget([first, second])
    for _ in range(2):
        mentions(world).note([first, second])

    assert counts(world) == [0, 0, 0]


def test_what_one_user_removed_for_themselves_others_still_have(world: World) -> None:
    placed = say(world, "all")

    mentions(world).hide("bob", placed)

    assert counts(world) == [0, 0, 1]


def test_removing_what_mentions_nobody_writes_nothing(world: World) -> None:
    mentions(world).hide("bob", say(world))
    mentions(world).hide("bob", say(world, "cat"))

    assert [key for key in world.mentions if key[0] == "bob"] == []


def test_a_mention_ends_with_its_message_and_after_a_year(world: World) -> None:
    say(world, "bob", expires_at=rfc3339(world.now + 60))
    say(world, "bob")

    world.now += 60
    assert unread(world, "bob") == 1
    world.now += MENTION_SECONDS
    assert unread(world, "bob") == 0


def test_where_nothing_is_unread_no_row_is_looked_at(world: World) -> None:
    table = FakeMentions(world)
    view = test_conversations.service(world).get("ann", ROOM)

    assert type(mentions(world))(table, world.clock).unread("ann", [view]) == {}

    assert table.between("ann", {}) == {}


def test_a_text_that_has_the_word_is_no_mention(world: World) -> None:
    placed = say(world)
    body = {**json.loads(placed.text), "content": 'a "mentions" b'}
    del body["mentions"]

    mentions(world).note([replace(placed, text=json.dumps(body))])

    assert world.mentions == {}


_PEOPLE = st.sampled_from(USERS)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), _PEOPLE, st.lists(st.sampled_from([*USERS, "all"]), max_size=2)),
        st.tuples(st.sampled_from(["read", "recall", "hide", "again"]), _PEOPLE, st.integers(1, 8)),
    ),
    max_size=15,
)


@settings(deadline=None, max_examples=100)
@given(_STEPS)
def test_unread_mentions_are_always_what_a_naive_count_says(
    steps: Sequence[tuple[str, str, list[str] | int]],
) -> None:
    world = crowd()
    said: list[tuple[Placed, set[str]]] = []  # and by whom it counts
    place = dict.fromkeys(USERS, 0)

    for action, user, argument in steps:
        if isinstance(argument, list):
            meant = set(USERS) if "all" in argument else set(argument)
            said.append((say(world, *argument, sender=user), meant - {user}))
        elif argument <= len(said):
            placed, meant = said[argument - 1]
            if action == "read":  # any device, in any order
                read(world, user, argument)
                place[user] = max(place[user], argument)
            elif action == "recall":
                mentions(world).forget([placed])
                meant.clear()
            elif action == "hide":
                mentions(world).hide(user, placed)
                meant.discard(user)
            else:
                mentions(world).note([placed])

        naive = [sum(one in who for _, who in said[place[one] :]) for one in USERS]
        assert counts(world) == naive
