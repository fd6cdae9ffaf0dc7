from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import AlreadyPendingError, ConflictError, UnavailableError
from chalicelib.logic.friends import FriendService
from chalicelib.models import Block, Friend, FriendRequest, Relation, RequestStatus
from chalicelib.repo.connections import ConnectionRepository
from chalicelib.repo.dynamodb import encode_item, query_all
from chalicelib.repo.relations import DECIDED_SECONDS, RelationRepository
from tests.contract.conftest import Connect
from tests.fakes_accounts import Clock
from tests.fakes_relations import FakeNotices, FakeRelations

pytestmark = pytest.mark.req("IM-12")
Relations = RelationRepository | FakeRelations
NOW = "2027-01-15T08:00:00.000Z"


@pytest.fixture(params=["fake", "endpoint"])
def relations(request: pytest.FixtureRequest) -> Relations:
    if request.param == "fake":
        return FakeRelations(Clock())
    return RelationRepository(request.getfixturevalue("tables"), clock=Clock())


@pytest.fixture
def pair() -> tuple[str, str]:
    tail = uuid4().hex[:18]
    return f"a{tail}", f"b{tail}"


def asked(
    sender: str, receiver: str, request_id: str = "r1", at: str = NOW, **more: Any
) -> FriendRequest:
    return FriendRequest(
        id=request_id,
        sender_id=sender,
        receiver_id=receiver,
        message="hello",
        created_at=at,
        updated_at=at,
        **more,
    )


def stand(relations: Relations, pair: Sequence[str], **changes: Any) -> Relation:
    """Changes how two stand, whatever it was."""
    old = relations.get(*pair)
    requests = changes.pop("made", ())
    assert relations.replace(old, replace(old, **changes), requests)
    return relations.get(*pair)


def everything(relations: Relations, user: str) -> tuple[Any, ...]:
    """All that a user's lists show."""
    page = {"start": None, "limit": 100}
    return (
        relations.friends(user, **page)[0],
        relations.blocks(user, **page)[0],
        relations.requests(user, "received", **page)[0],
        relations.requests(user, "sent", **page)[0],
    )


def test_two_who_have_nothing_to_do_with_each_other(
    relations: Relations, pair: tuple[str, str]
) -> None:
    assert relations.get(*pair) == relations.get(*pair[::-1]) == Relation(users=pair)
    assert everything(relations, pair[0]) == ([], [], [], [])


@pytest.mark.req("APP-4")
def test_a_friendship_stands_in_both_directions(
    relations: Relations, pair: tuple[str, str]
) -> None:
    ann, bob = pair

    new = stand(relations, (bob, ann), friends=True)

    assert new == Relation(users=pair, version=1, friends=True)
    assert everything(relations, ann)[0] == [Friend(user_id=bob, created_at=NOW)]
    assert everything(relations, bob)[0] == [Friend(user_id=ann, created_at=NOW)]


@pytest.mark.req("APP-5")
def test_a_friendship_ends_in_both_directions(relations: Relations, pair: tuple[str, str]) -> None:
    stand(relations, pair, friends=True)

    new = stand(relations, pair, friends=False)

    assert new == Relation(users=pair, version=2)
    assert everything(relations, pair[0])[0] == everything(relations, pair[1])[0] == []


def test_another_change_leaves_friends_and_their_remarks_alone(
    relations: Relations, pair: tuple[str, str]
) -> None:
    ann, bob = pair
    stand(relations, pair, friends=True)
    relations.set_remark(ann, bob, "Bobby")

    stand(relations, pair, blocked_by=frozenset({bob}))

    assert everything(relations, ann)[0] == [Friend(user_id=bob, created_at=NOW, remark="Bobby")]


@pytest.mark.req("APP-6")
def test_a_block_stands_with_who_blocked(relations: Relations, pair: tuple[str, str]) -> None:
    ann, bob = pair

    new = stand(relations, pair, blocked_by=frozenset({bob}))

    assert (new.is_blocked(ann), new.is_blocked(bob)) == (True, False)
    assert everything(relations, bob)[1] == [Block(user_id=ann, created_at=NOW)]
    assert everything(relations, ann)[1] == []


@pytest.mark.req("APP-6")
def test_of_two_blocks_each_ends_for_itself(relations: Relations, pair: tuple[str, str]) -> None:
    ann, bob = pair
    both = stand(relations, pair, blocked_by=frozenset(pair))

    one = stand(relations, pair, blocked_by=frozenset({ann}))

    assert (both.is_blocked(ann), both.is_blocked(bob)) == (True, True)
    assert (one.is_blocked(ann), one.is_blocked(bob)) == (False, True)
    assert everything(relations, ann)[1] == [Block(user_id=bob, created_at=NOW)]
    assert everything(relations, bob)[1] == []


@pytest.mark.req("APP-4")
def test_a_request_is_with_both_and_read_back_whole(
    relations: Relations, pair: tuple[str, str]
) -> None:
    ann, bob = pair
    request = asked(bob, ann)

    new = stand(relations, pair, requests={bob: "r1"}, made=[request])

    assert new.requests == {bob: "r1"}
    assert everything(relations, ann)[2:] == ([request], [])
    assert everything(relations, bob)[2:] == ([], [request])
    assert relations.request(ann, "received", "r1") == request
    assert relations.request(bob, "sent", "r1") == request
    assert relations.request(ann, "sent", "r1") is None


@pytest.mark.req("APP-4")
@pytest.mark.parametrize("status", [RequestStatus.ACCEPTED, RequestStatus.REJECTED])
def test_an_answered_request_stays_with_both(
    relations: Relations, pair: tuple[str, str], status: RequestStatus
) -> None:
    ann, bob = pair
    stand(relations, pair, requests={ann: "r1"}, made=[asked(ann, bob)])
    answered = asked(ann, bob, status=status)

    new = stand(relations, pair, requests={}, made=[answered])

    assert new.requests == {}
    assert everything(relations, ann)[3] == everything(relations, bob)[2] == [answered]


@pytest.mark.req("APP-6")
def test_a_request_that_is_pending_no_more_without_an_answer_is_gone(
    relations: Relations, pair: tuple[str, str]
) -> None:
    ann, bob = pair
    answered = asked(ann, bob, "r0", status=RequestStatus.REJECTED)
    stand(relations, pair, requests={bob: "r1"}, made=[answered, asked(bob, ann)])

    stand(relations, pair, requests={}, blocked_by=frozenset({ann}))

    assert everything(relations, ann)[2:] == ([], [answered])
    assert everything(relations, bob)[2:] == ([answered], [])


def test_what_another_writer_changed_is_not_replaced(
    relations: Relations, pair: tuple[str, str]
) -> None:
    none = relations.get(*pair)
    first = stand(relations, pair, friends=True)
    stand(relations, pair, friends=False)
    late = asked(*pair)

    for old in (none, first):
        new = replace(old, requests={pair[0]: late.id}, blocked_by=frozenset(pair))
        assert not relations.replace(old, new, [late])

    assert relations.get(*pair) == Relation(users=pair, version=2)
    assert everything(relations, pair[0]) == everything(relations, pair[1]) == ([], [], [], [])


@pytest.mark.req("APP-5")
def test_a_remark_is_for_one_friend_and_ones_own(
    relations: Relations, pair: tuple[str, str]
) -> None:
    ann, bob = pair
    assert relations.set_remark(ann, bob, "Bobby") is None
    stand(relations, pair, friends=True)

    assert relations.set_remark(ann, bob, "Bobby") == Friend(
        user_id=bob, created_at=NOW, remark="Bobby"
    )
    assert everything(relations, bob)[0] == [Friend(user_id=ann, created_at=NOW)]


def test_lists_come_page_by_page_in_order(relations: Relations, pair: tuple[str, str]) -> None:
    ann = pair[0]
    others = [f"{pair[1]}{name}" for name in ("", "-", "0", "z", "~")]
    for other in others:
        old = relations.get(ann, other)
        new = replace(old, friends=True, blocked_by=frozenset({ann}))
        assert relations.replace(old, new)

    for read in (relations.friends, relations.blocks):
        first, second_start = read(ann, start=None, limit=3)
        second, end = read(ann, start=second_start, limit=3)
        assert [one.user_id for one in (*first, *second)] == others
        assert (len(first), end) == (3, None)
        assert read(ann, start=None, limit=5)[1] is None


@pytest.mark.req("APP-4")
def test_requests_come_page_by_page_the_newest_first(
    relations: Relations, pair: tuple[str, str]
) -> None:
    ann = pair[0]
    for number in range(5):
        other = f"{pair[1]}{number}"
        request = asked(other, ann, f"r{9 - number}", f"2027-01-15T08:00:0{number}.000Z")
        stand(relations, (ann, other), requests={other: request.id}, made=[request])

    first, start = relations.requests(ann, "received", start=None, limit=3)
    stand(relations, (ann, f"{pair[1]}1"), requests={})  # the first of the next page goes
    second, end = relations.requests(ann, "received", start=start, limit=3)

    assert [one.id for one in first] == ["r5", "r6", "r7"]
    assert [one.id for one in second] == ["r9"]
    assert end is None
    assert relations.requests(ann, "sent", start=None, limit=3) == ([], None)


def test_a_page_may_start_anywhere(relations: Relations, pair: tuple[str, str]) -> None:
    """A cursor is no secret: whatever somebody makes up is a place in their own list."""
    stand(relations, pair, friends=True, requests={pair[0]: "r1"}, made=[asked(*pair)])

    for start in ("", "~~~", "\x7f", "é"):
        assert relations.friends(pair[0], start=start, limit=3)[1] is None
        assert relations.requests(pair[0], "sent", start=start, limit=3)[1] is None


@pytest.mark.req("APP-6")
def test_a_correspondent_is_read_together_with_whether_they_exist(
    tables: JsonService, pair: tuple[str, str]
) -> None:
    ann, bob = pair
    relations = RelationRepository(tables)
    stand(relations, pair, blocked_by=frozenset({bob}))
    assert relations.correspondent(ann, bob) is None

    ConnectionRepository(tables).open_user(bob, 0)

    assert relations.correspondent(ann, bob) == relations.get(ann, bob)


@pytest.mark.req("APP-6")
def test_many_correspondents_are_read_together(tables: JsonService, pair: tuple[str, str]) -> None:
    ann, bob = pair
    relations = RelationRepository(tables)
    stand(relations, pair, blocked_by=frozenset({bob}))
    others = [bob, *(f"{bob}{number}" for number in range(120))]
    for one in others:
        ConnectionRepository(tables).open_user(one, 0)

    found = relations.correspondents(ann, [*others, "nobody"])

    assert found.keys() == set(others)
    assert [one for one in others if found[one].is_blocked(ann)] == [bob]


@pytest.mark.req("APP-4")
def test_only_answered_requests_expire(tables: JsonService, pair: tuple[str, str]) -> None:
    ann, bob = pair
    relations = RelationRepository(tables, clock=Clock())
    answered = asked(ann, bob, "r2", status=RequestStatus.REJECTED)
    stand(relations, pair, requests={ann: "r1"}, made=[asked(ann, bob, "r1"), answered])

    items = query_all(
        tables,
        TableName="lambchat-contract-relations",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=encode_item({":pk": bob}),
    )

    expiry = int(Clock().now) + DECIDED_SECONDS
    assert [(one["sk"], one.get("ttl")) for one in items] == [
        ("received#r1", None),
        ("received#r2", expiry),
    ]


class Directory:
    def exists(self, _user_id: str) -> bool:
        return True


def at_once(connect: Connect, *work: Callable[[FriendService], Any]) -> list[Any]:
    """Each in a thread, on a connection of its own, all starting together."""
    ready = Barrier(len(work))

    def run(one: Callable[[FriendService], Any]) -> Any:
        service = FriendService(
            relations=RelationRepository(connect()),
            directory=Directory(),
            tell=FakeNotices().tell,
            clock=Clock(),
        )
        ready.wait(30)
        try:
            return one(service)
        except (AlreadyPendingError, ConflictError) as error:
            return error.code

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


@pytest.mark.req("APP-4")
def test_requests_that_cross_at_the_same_moment_make_friends(connect: Connect) -> None:
    relations = RelationRepository(connect())
    for _ in range(10):
        tail = uuid4().hex[:18]
        ann, bob = f"a{tail}", f"b{tail}"

        results = at_once(
            connect,
            lambda service, a=ann, b=bob: service.request(a, b, "", request_id="r1"),
            lambda service, a=ann, b=bob: service.request(b, a, "", request_id="r2"),
        )

        assert sorted(one.status.value for one in results) == ["accepted", "pending"]
        assert relations.get(ann, bob) == Relation(users=(ann, bob), version=2, friends=True)
        friends, _, received, sent = everything(relations, ann)
        assert [one.user_id for one in friends] == [bob]
        assert [one.user_id for one in everything(relations, bob)[0]] == [ann]
        assert {one.status for one in (*received, *sent)} == {RequestStatus.ACCEPTED}


@pytest.mark.req("APP-4")
def test_of_several_requests_at_the_same_moment_one_waits(
    connect: Connect, pair: tuple[str, str]
) -> None:
    results = at_once(
        connect,
        *(
            lambda service, n=n: service.request(*pair, "", request_id=f"r{n}").status
            for n in range(4)
        ),
    )

    assert sorted(results) == ["already_pending"] * 3 + ["pending"]
    assert len(everything(RelationRepository(connect()), pair[1])[2]) == 1


@pytest.mark.req("APP-4")
def test_of_an_acceptance_and_a_rejection_at_the_same_moment_one_holds(
    connect: Connect, pair: tuple[str, str]
) -> None:
    ann, bob = pair
    relations = RelationRepository(connect())
    stand(relations, pair, requests={ann: "r1"}, made=[asked(ann, bob)])

    results = at_once(
        connect,
        lambda service: service.accept(bob, "r1").status,
        lambda service: service.reject(bob, "r1").status,
    )

    assert "conflict" in results
    accepted = "accepted" in results
    assert relations.get(ann, bob).friends is accepted
    assert [one.status == "accepted" for one in everything(relations, ann)[3]] == [accepted]


@pytest.mark.parametrize(
    "use",
    [
        lambda relations, pair: relations.get(*pair),
        lambda relations, pair: relations.correspondent(*pair),
        lambda relations, pair: relations.replace(Relation(users=pair), Relation(users=pair)),
        lambda relations, pair: relations.set_remark(*pair, ""),
        lambda relations, pair: relations.request(pair[0], "sent", "r1"),
        lambda relations, pair: relations.requests(pair[0], "sent", start=None, limit=1),
        lambda relations, pair: relations.friends(pair[0], start=None, limit=1),
        lambda relations, pair: relations.blocks(pair[0], start=None, limit=1),
    ],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService,
    monkeypatch: pytest.MonkeyPatch,
    pair: tuple[str, str],
    use: Callable[[RelationRepository, tuple[str, str]], Any],
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(RelationRepository(tables), pair)
