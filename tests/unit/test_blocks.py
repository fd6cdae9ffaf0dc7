from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.errors import (
    BlockedError,
    IMError,
    NotFriendsError,
    SelfError,
    UnavailableError,
    UserNotFoundError,
)
from chalicelib.logic.blocks import MAX_AGE_SECONDS, Correspondence
from chalicelib.logic.policies import MessagePolicy
from tests.unit.test_friends import People

EVERYBODY = MessagePolicy()
FRIENDS_ONLY = MessagePolicy(strangers_may_write=False)


@pytest.fixture
def people() -> People:
    return People()


def correspondence(
    people: People, policy: Callable[[], MessagePolicy] = lambda: EVERYBODY
) -> Correspondence:
    return Correspondence(people.relations, policy, people.clock)


def blocked(people: People, user_id: str) -> list[str]:
    return [one.user_id for one in people.relations.blocks(user_id, start=None, limit=9)[0]]


@pytest.mark.req("APP-6", "APP-7")
def test_a_block_is_listed_once_and_told_to_nobody_else(people: People) -> None:
    people.blocks.block("ann", "bob")
    people.blocks.block("ann", "bob")

    assert blocked(people, "ann") == ["bob"]
    assert blocked(people, "bob") == []
    assert people.notices.told == [("ann", "block.changed", {"user_id": "bob", "blocked": True})]


@pytest.mark.req("APP-6", "APP-7")
def test_a_block_ends_once_and_is_told_to_nobody_else(people: People) -> None:
    people.blocks.block("ann", "bob")
    people.notices.told.clear()

    for other in ("bob", "bob", "cat", "ann"):
        people.blocks.unblock("ann", other)

    assert blocked(people, "ann") == []
    assert people.notices.told == [("ann", "block.changed", {"user_id": "bob", "blocked": False})]


@pytest.mark.req("APP-6")
@pytest.mark.parametrize(("other", "error"), [("ann", SelfError), ("nobody", UserNotFoundError)])
def test_a_block_needs_somebody_else(people: People, other: str, error: type[IMError]) -> None:
    with pytest.raises(error):
        people.blocks.block("ann", other)


@pytest.mark.req("APP-6")
@pytest.mark.parametrize(("sender", "receiver"), [("ann", "bob"), ("bob", "ann")])
def test_a_block_removes_pending_requests_silently(
    people: People, sender: str, receiver: str
) -> None:
    people.ask(sender, receiver)
    people.notices.told.clear()

    people.blocks.block("ann", "bob")

    assert people.statuses("ann", "received") == people.statuses("ann", "sent") == []
    assert people.statuses("bob", "received") == people.statuses("bob", "sent") == []
    assert people.notices.events("bob") == []


@pytest.mark.req("APP-6")
def test_a_friendship_outlives_a_block(people: People) -> None:
    people.befriend()

    people.blocks.block("ann", "bob")
    assert people.are_friends()
    with pytest.raises(BlockedError):
        correspondence(people).require("bob", "ann")
    people.blocks.unblock("ann", "bob")

    correspondence(people).require("bob", "ann")


@pytest.mark.req("APP-6")
def test_the_blocked_side_may_not_write_and_the_blocking_side_may(people: People) -> None:
    people.blocks.block("ann", "bob")

    with pytest.raises(BlockedError):
        correspondence(people).require("bob", "ann")
    correspondence(people).require("ann", "bob")


@pytest.mark.req("APP-6")
def test_of_two_blocks_each_counts_for_itself(people: People) -> None:
    people.blocks.block("ann", "bob")
    people.blocks.block("bob", "ann")
    people.blocks.unblock("ann", "bob")

    correspondence(people).require("bob", "ann")
    with pytest.raises(BlockedError):
        correspondence(people).require("ann", "bob")


def test_nobody_writes_to_nobody(people: People) -> None:
    with pytest.raises(UserNotFoundError):
        correspondence(people).require("ann", "nobody")


@pytest.mark.req("APP-6")
def test_that_one_may_write_is_remembered_for_less_than_the_five_seconds_of_the_contract(
    people: People,
) -> None:
    gate = correspondence(people)
    gate.require("bob", "ann")
    people.blocks.block("ann", "bob")

    people.clock.now += MAX_AGE_SECONDS - 0.1
    gate.require("bob", "ann")
    assert people.relations.reads == 1
    people.clock.now += 0.1

    with pytest.raises(BlockedError):
        gate.require("bob", "ann")
    assert MAX_AGE_SECONDS < 5


@pytest.mark.req("APP-6")
def test_that_one_may_not_write_is_asked_again_each_time(people: People) -> None:
    gate = correspondence(people)
    people.blocks.block("ann", "bob")
    with pytest.raises(BlockedError):
        gate.require("bob", "ann")

    people.blocks.unblock("ann", "bob")

    gate.require("bob", "ann")


def test_the_memory_is_bounded(people: People) -> None:
    gate = correspondence(people)
    people.relations.users.update(f"user{number}" for number in range(10_000))
    gate.require("ann", "bob")

    for number in range(10_000):
        gate.require("ann", f"user{number}")
    gate.require("ann", "bob")
    gate.require("ann", "user9999")

    assert people.relations.reads == 10_002


@pytest.mark.req("APP-6")
def test_where_strangers_may_not_write_friends_may_at_once(people: People) -> None:
    gate = correspondence(people, lambda: FRIENDS_ONLY)
    people.ask("ann", "bob", "r1")
    for sender, receiver in (("ann", "bob"), ("bob", "ann")):
        with pytest.raises(NotFriendsError):
            gate.require(sender, receiver)

    people.service.accept("bob", "r1")

    gate.require("ann", "bob")
    gate.require("bob", "ann")


@pytest.mark.req("APP-6")
def test_a_block_counts_among_friends_where_strangers_may_not_write(people: People) -> None:
    people.befriend()
    people.blocks.block("ann", "bob")

    with pytest.raises(BlockedError):
        correspondence(people, lambda: FRIENDS_ONLY).require("bob", "ann")


def test_a_change_of_the_policy_needs_no_new_process(people: People) -> None:
    policies = [EVERYBODY]
    gate = correspondence(people, lambda: policies[-1])
    gate.require("ann", "bob")
    policies.append(FRIENDS_ONLY)

    people.clock.now += MAX_AGE_SECONDS

    with pytest.raises(NotFriendsError):
        gate.require("ann", "bob")


@pytest.mark.req("BRK-7")
def test_while_the_store_is_away_who_wrote_before_still_may(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = correspondence(people)
    who.require("ann", "bob")

    def away(_user_id: str, _other_id: str) -> None:
        raise UnavailableError

    monkeypatch.setattr(people.relations, "correspondent", away)
    people.clock.now += 3600

    who.require("ann", "bob")
    with pytest.raises(UnavailableError):
        who.require("bob", "ann")
