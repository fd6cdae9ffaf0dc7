from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from chalicelib.errors import (
    AlreadyFriendsError,
    AlreadyPendingError,
    BlockedError,
    ConflictError,
    IMError,
    NotFoundError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.logic.blocks import BlockService
from chalicelib.logic.friends import FriendService
from chalicelib.models import FriendRequest, RequestStatus
from tests.fakes_accounts import Clock
from tests.fakes_relations import FakeNotices, FakeRelations


@dataclass
class People:
    """Ann, Bob and Cat, and what became of them."""

    clock: Clock = field(default_factory=Clock)
    notices: FakeNotices = field(default_factory=FakeNotices)

    def __post_init__(self) -> None:
        self.relations = FakeRelations(self.clock, "ann", "bob", "cat")
        self.service = FriendService(
            relations=self.relations,
            directory=self.relations,
            tell=self.notices.tell,
            clock=self.clock,
        )
        self.blocks = BlockService(
            relations=self.relations, directory=self.relations, tell=self.notices.tell
        )

    def ask(self, sender: str, receiver: str, request_id: str = "") -> FriendRequest:
        request_id = request_id or f"{sender}-to-{receiver}"
        return self.service.request(sender, receiver, "hello", request_id=request_id)

    def befriend(self, one: str = "ann", other: str = "bob") -> None:
        self.service.accept(other, self.ask(one, other).id)
        self.notices.told.clear()

    def are_friends(self, one: str = "ann", other: str = "bob") -> bool:
        """Both directions, and the pair, say the same."""
        rows = {(one, other), (other, one)} & set(self.relations.friend_rows)
        assert len(rows) in (0, 2)
        assert bool(rows) is self.relations.get(one, other).friends
        return bool(rows)

    def meanwhile(self, other: Callable[[], object]) -> None:
        """Lets somebody else in before the next write."""

        def step() -> None:
            self.relations.step = lambda: None
            other()

        self.relations.step = step

    def statuses(self, user_id: str, direction: str) -> list[str]:
        found, _ = self.relations.requests(user_id, direction, start=None, limit=100)
        return [one.status.value for one in found]


@pytest.fixture
def people() -> People:
    return People()


@pytest.mark.req("APP-4")
def test_a_request_waits_with_both_and_makes_no_friends_yet(people: People) -> None:
    request = people.ask("ann", "bob", "r1")

    assert request == FriendRequest(
        id="r1",
        sender_id="ann",
        receiver_id="bob",
        message="hello",
        created_at="2027-01-15T08:00:00.000Z",
        updated_at="2027-01-15T08:00:00.000Z",
    )
    assert people.relations.request("bob", "received", "r1") == request
    assert people.relations.request("ann", "sent", "r1") == request
    assert not people.are_friends()


@pytest.mark.req("APP-4")
@pytest.mark.parametrize(
    ("sender", "receiver", "error"),
    [("ann", "ann", SelfError), ("ann", "nobody", UserNotFoundError)],
)
def test_a_request_needs_somebody_else(
    people: People, sender: str, receiver: str, error: type[IMError]
) -> None:
    with pytest.raises(error):
        people.ask(sender, receiver)
    assert people.notices.told == []


@pytest.mark.req("APP-4")
def test_a_second_request_is_refused_while_the_first_waits(people: People) -> None:
    people.ask("ann", "bob", "r1")

    with pytest.raises(AlreadyPendingError):
        people.ask("ann", "bob", "r2")
    assert people.statuses("bob", "received") == ["pending"]


@pytest.mark.req("APP-4")
@pytest.mark.parametrize(("sender", "receiver"), [("ann", "bob"), ("bob", "ann")])
def test_friends_need_no_request(people: People, sender: str, receiver: str) -> None:
    people.befriend()

    with pytest.raises(AlreadyFriendsError):
        people.ask(sender, receiver, "again")


@pytest.mark.req("APP-4", "APP-6")
@pytest.mark.parametrize(("sender", "receiver"), [("ann", "bob"), ("bob", "ann")])
def test_nobody_asks_across_a_block(people: People, sender: str, receiver: str) -> None:
    people.blocks.block("bob", "ann")

    with pytest.raises(BlockedError):
        people.ask(sender, receiver)
    assert people.notices.events("ann") == []


@pytest.mark.req("APP-4")
def test_a_request_after_the_first_was_rejected_is_a_new_one(people: People) -> None:
    people.service.reject("bob", people.ask("ann", "bob", "r1").id)
    people.clock.now += 1

    people.ask("ann", "bob", "r2")

    assert people.statuses("bob", "received") == ["pending", "rejected"]


def test_the_same_request_again_is_the_same_one(people: People) -> None:
    """A POST is repeated with its operation's id when its first answer was lost."""
    first = people.ask("ann", "bob", "r1")
    people.clock.now += 1
    assert people.ask("ann", "bob", "r1") == first
    people.service.reject("bob", "r1")

    again = people.ask("ann", "bob", "r1")

    assert again.status is RequestStatus.REJECTED
    assert people.notices.events("bob") == ["friend.requested", "friend.rejected"]


@pytest.mark.req("APP-4")
def test_accepting_makes_both_friends_once(people: People) -> None:
    people.ask("ann", "bob", "r1")
    people.clock.now += 60

    first = people.service.accept("bob", "r1")
    people.clock.now += 60
    again = people.service.accept("bob", "r1")

    assert first == again
    assert (first.status, first.updated_at) == (RequestStatus.ACCEPTED, "2027-01-15T08:01:00.000Z")
    assert people.are_friends()
    assert people.statuses("ann", "sent") == people.statuses("bob", "received") == ["accepted"]
    assert people.notices.events("ann") == ["friend.requested", "friend.accepted"]


@pytest.mark.req("APP-4")
def test_rejecting_is_idempotent_and_makes_no_friends(people: People) -> None:
    people.ask("ann", "bob", "r1")

    assert people.service.reject("bob", "r1") == people.service.reject("bob", "r1")

    assert not people.are_friends()
    assert people.statuses("ann", "sent") == ["rejected"]
    assert people.notices.events("ann") == ["friend.requested", "friend.rejected"]


@pytest.mark.req("APP-4")
def test_an_answer_is_not_taken_back_by_the_other_one(people: People) -> None:
    people.ask("ann", "bob", "r1")
    people.ask("cat", "bob", "r2")
    people.service.accept("bob", "r1")
    people.service.reject("bob", "r2")

    with pytest.raises(ConflictError, match="was accepted"):
        people.service.reject("bob", "r1")
    with pytest.raises(ConflictError, match="was rejected"):
        people.service.accept("bob", "r2")
    assert people.are_friends()
    assert not people.are_friends("bob", "cat")


@pytest.mark.req("APP-4")
def test_accepting_again_after_the_friendship_ended_does_not_bring_it_back(people: People) -> None:
    people.ask("ann", "bob", "r1")
    people.service.accept("bob", "r1")
    people.service.remove("ann", "bob")

    assert people.service.accept("bob", "r1").status is RequestStatus.ACCEPTED
    assert not people.are_friends()


@pytest.mark.req("APP-4")
@pytest.mark.parametrize("user", ["ann", "cat"])
def test_only_the_receiver_answers(people: People, user: str) -> None:
    people.ask("ann", "bob", "r1")

    for answer in (people.service.accept, people.service.reject):
        with pytest.raises(NotFoundError):
            answer(user, "r1")
    assert people.statuses("bob", "received") == ["pending"]


@pytest.mark.req("APP-4")
def test_crossing_requests_make_friends(people: People) -> None:
    people.ask("ann", "bob", "r1")

    crossing = people.ask("bob", "ann", "r2")

    assert (crossing.id, crossing.status) == ("r2", RequestStatus.ACCEPTED)
    assert people.are_friends()
    assert people.statuses("ann", "sent") == people.statuses("bob", "sent") == ["accepted"]
    assert people.relations.get("ann", "bob").requests == {}
    assert people.notices.events("ann") == ["friend.requested", "friend.accepted"]
    assert people.ask("bob", "ann", "r2") == crossing, "a repetition answers the same"


@pytest.mark.req("APP-4")
def test_requests_that_cross_at_the_same_moment_make_friends(people: People) -> None:
    people.meanwhile(lambda: people.ask("bob", "ann", "r2"))

    late = people.ask("ann", "bob", "r1")

    assert (late.id, late.status) == ("r1", RequestStatus.ACCEPTED)
    assert people.are_friends()
    assert people.statuses("ann", "received") == ["accepted"]


@pytest.mark.req("APP-4")
def test_of_two_requests_at_the_same_moment_one_waits(people: People) -> None:
    people.meanwhile(lambda: people.ask("ann", "bob", "r2"))

    with pytest.raises(AlreadyPendingError):
        people.ask("ann", "bob", "r1")
    assert people.statuses("bob", "received") == ["pending"]


@pytest.mark.req("APP-4")
def test_accepting_and_rejecting_at_the_same_moment_ends_one_way(people: People) -> None:
    people.ask("ann", "bob", "r1")
    people.meanwhile(lambda: people.service.reject("bob", "r1"))

    with pytest.raises(ConflictError):
        people.service.accept("bob", "r1")
    assert not people.are_friends()
    assert people.notices.events("ann") == ["friend.requested", "friend.rejected"]


@pytest.mark.req("APP-4", "APP-6")
def test_a_request_that_a_block_removed_meanwhile_is_not_accepted(people: People) -> None:
    people.ask("ann", "bob", "r1")
    people.meanwhile(lambda: people.blocks.block("ann", "bob"))

    with pytest.raises(NotFoundError):
        people.service.accept("bob", "r1")
    assert not people.are_friends()


@pytest.mark.req("APP-4", "APP-6")
def test_a_request_that_a_block_removed_meanwhile_crosses_nothing(people: People) -> None:
    people.ask("bob", "ann", "r1")
    found = people.relations.request

    def gone(user_id: str, direction: str, request_id: str) -> FriendRequest | None:
        people.relations.request = found  # type: ignore[method-assign]
        people.blocks.block("bob", "ann")
        return found(user_id, direction, request_id)

    people.relations.request = gone  # type: ignore[method-assign]

    with pytest.raises(BlockedError):
        people.ask("ann", "bob", "r2")
    assert not people.are_friends()
    assert people.statuses("ann", "sent") == []


@pytest.mark.req("APP-5")
def test_a_friendship_ends_for_both_once(people: People) -> None:
    people.befriend()

    for user, friend in (("bob", "ann"), ("bob", "ann"), ("ann", "bob"), ("ann", "ann")):
        people.service.remove(user, friend)

    assert not people.are_friends()
    assert people.notices.told == [
        ("bob", "friend.deleted", {"user_id": "ann"}),
        ("ann", "friend.deleted", {"user_id": "bob"}),
    ]


@pytest.mark.req("APP-5")
def test_who_was_a_friend_may_be_one_again_and_has_no_remark_then(people: People) -> None:
    people.befriend()
    people.relations.set_remark("ann", "bob", "Bobby")
    people.service.remove("ann", "bob")

    people.service.accept("ann", people.ask("bob", "ann", "again").id)

    assert people.are_friends()
    assert people.relations.friend_rows["ann", "bob"].remark == ""


@pytest.mark.req("APP-7")
def test_events_name_the_request_and_for_each_side_the_other_one(people: People) -> None:
    people.ask("ann", "bob", "r1")

    told = {user: data for user, _, data in people.notices.told}

    assert told["ann"].pop("user_id") == "bob"
    assert told["bob"].pop("user_id") == "ann"
    assert told["ann"] == told["bob"]
    assert (
        told["bob"].items()
        >= {
            "id": "r1",
            "sender_id": "ann",
            "receiver_id": "bob",
            "message": "hello",
            "status": "pending",
        }.items()
    )
