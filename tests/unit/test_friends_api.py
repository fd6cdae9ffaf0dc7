from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib import bootstrap_people as people
from chalicelib.errors import UnavailableError
from chalicelib.models import direct_id
from tests.rest import Reply, Rest, assert_problem

POLICY = "/lambchat/unit/policy/messages"


@dataclass
class Person:
    """Somebody who is logged in."""

    rest: Rest
    id: str
    token: str

    def __call__(self, method: str, path: str, **parts: Any) -> Reply:
        return self.rest.call(method, f"/v1{path}", token=self.token, **parts)

    def ask(self, other: Person, **more: Any) -> Reply:
        body = {"user_id": other.id, **more.pop("body", {})}
        return self("POST", "/friend-requests", body=body, **more)

    def items(self, path: str, **query: str) -> list[Any]:
        reply = self("GET", path, query=query)
        assert reply.status == 200, reply.text
        found: list[Any] = reply.body["items"]
        return found

    def requests(self, direction: str) -> list[Any]:
        return self.items("/friend-requests", direction=direction)


def person(rest: Rest, name: str) -> Person:
    signed_in = rest.signed_in(name)
    return Person(rest, signed_in["user"]["id"], signed_in["access_token"])


@pytest.fixture
def ann(rest: Rest) -> Person:
    return person(rest, "ann")


@pytest.fixture
def bob(rest: Rest) -> Person:
    return person(rest, "bob")


def befriend(one: Person, other: Person) -> None:
    request = one.ask(other).body
    assert other("POST", f"/friend-requests/{request['id']}/accept").status == 200


@pytest.mark.req("APP-4")
def test_a_request_is_created_and_listed_with_the_other_ones_profile(
    ann: Person, bob: Person
) -> None:
    reply = ann.ask(bob, body={"message": "it is me"})

    assert reply.status == 201
    assert (
        reply.body.items()
        >= {
            "sender_id": ann.id,
            "receiver_id": bob.id,
            "message": "it is me",
            "status": "pending",
        }.items()
    )
    (received,), (sent,) = bob.requests("received"), ann.requests("sent")
    assert received["id"] == sent["id"] == reply.body["id"]
    assert (received["user"]["username"], sent["user"]["username"]) == ("ann", "bob")
    assert "password_hash" not in received["user"]
    assert (ann.requests("received"), bob.requests("sent")) == ([], [])
    assert bob.items("/friend-requests") == [received], "received is what is asked for by default"


@pytest.mark.req("APP-4")
def test_a_request_that_cannot_be_is_refused(ann: Person, bob: Person) -> None:
    nobody = Person(ann.rest, "nobody", "")

    assert_problem(ann.ask(ann), 400, "self")
    assert_problem(ann.ask(nobody), 404, "user_not_found")
    assert ann.ask(bob).status == 201
    assert_problem(ann.ask(bob), 409, "already_pending")
    assert ann("PUT", f"/blocks/{bob.id}").status == 204
    assert_problem(bob.ask(ann), 403, "blocked")
    assert ann("DELETE", f"/blocks/{bob.id}").status == 204
    befriend(bob, ann)
    assert_problem(ann.ask(bob), 409, "already_friends")


@pytest.mark.req("APP-17")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "u", "message": "x" * 257}, "message"),
        ({"user_id": "u", "status": "accepted"}, "status"),
    ],
)
def test_a_wrong_request_names_the_field(ann: Person, body: dict[str, str], field: str) -> None:
    assert_problem(ann("POST", "/friend-requests", body=body), 422, "invalid_field", field)


@pytest.mark.req("APP-17")
def test_a_direction_is_one_of_two(ann: Person) -> None:
    reply = ann("GET", "/friend-requests", query={"direction": "both"})

    assert_problem(reply, 400, "invalid_query", "direction")


@pytest.mark.req("APP-4")
def test_a_repeated_post_answers_the_same(ann: Person, bob: Person) -> None:
    key = {"Idempotency-Key": "once"}

    first, again = (ann.ask(bob, headers=key) for _ in range(2))

    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body


@pytest.mark.req("APP-4")
def test_a_repeated_post_answers_the_same_when_its_first_answer_was_lost(
    ann: Person, bob: Person
) -> None:
    key = {"Idempotency-Key": "once"}
    tell = ann.rest.notices.tell
    ann.rest.notices.tell = None  # type: ignore[method-assign,assignment]
    assert ann.ask(bob, headers=key).status == 500

    ann.rest.notices.tell = tell  # type: ignore[method-assign]
    again = ann.ask(bob, headers=key)

    assert again.status == 201
    assert [one["id"] for one in bob.requests("received")] == [again.body["id"]]


@pytest.mark.req("APP-4")
def test_answers_are_idempotent_and_the_receivers_alone(ann: Person, bob: Person) -> None:
    path = f"/friend-requests/{ann.ask(bob).body['id']}"

    assert_problem(ann("POST", f"{path}/accept"), 404, "not_found")
    assert_problem(ann("POST", f"{path}/reject"), 404, "not_found")
    first, again = (bob("POST", f"{path}/accept") for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body
    assert (first.body["status"], first.body["user"]["id"]) == ("accepted", ann.id)
    assert_problem(bob("POST", f"{path}/reject"), 409, "conflict")


@pytest.mark.req("APP-4")
def test_a_rejection_is_idempotent(ann: Person, bob: Person) -> None:
    path = f"/friend-requests/{ann.ask(bob).body['id']}"

    first, again = (bob("POST", f"{path}/reject") for _ in range(2))

    assert first.body == again.body
    assert [one["status"] for one in ann.requests("sent")] == ["rejected"]
    assert ann.items("/friends") == bob.items("/friends") == []


@pytest.mark.req("APP-4")
def test_crossing_requests_make_friends(ann: Person, bob: Person) -> None:
    ann.ask(bob)

    reply = bob.ask(ann)

    assert (reply.status, reply.body["status"]) == (201, "accepted")
    assert [one["user_id"] for one in ann.items("/friends")] == [bob.id]
    assert [one["user_id"] for one in bob.items("/friends")] == [ann.id]


@pytest.mark.req("APP-5")
def test_friends_are_listed_with_profiles_page_by_page(rest: Rest, ann: Person) -> None:
    others = [person(rest, f"friend{number}") for number in range(3)]
    for other in others:
        befriend(ann, other)

    first = ann("GET", "/friends", query={"limit": "2"}).body
    second = ann("GET", "/friends", query={"limit": "2", "cursor": first["next_cursor"]}).body

    assert (len(first["items"]), second["next_cursor"]) == (2, None)
    listed = {one["user_id"]: one["user"]["username"] for one in first["items"] + second["items"]}
    assert listed == {other.id: f"friend{n}" for n, other in enumerate(others)}


@pytest.mark.req("APP-4")
def test_requests_are_listed_newest_first_page_by_page(rest: Rest, ann: Person) -> None:
    others = [person(rest, f"other{number}") for number in range(3)]
    for other in others:
        other.ask(ann)
        rest.clock.now += 1
    query = {"direction": "received", "limit": "2"}

    first = ann("GET", "/friend-requests", query=query).body
    query["cursor"] = first["next_cursor"]
    second = ann("GET", "/friend-requests", query=query).body
    query["direction"] = "sent"

    names = [one["user"]["username"] for one in first["items"] + second["items"]]
    assert names == ["other2", "other1", "other0"]
    assert_problem(ann("GET", "/friend-requests", query=query), 400, "invalid_query", "cursor")


@pytest.mark.req("APP-5")
def test_a_remark_is_ones_own(ann: Person, bob: Person) -> None:
    befriend(ann, bob)

    reply = ann("PATCH", f"/friends/{bob.id}", body={"remark": "Bobby"})

    assert (reply.status, reply.body["remark"], reply.body["user"]["id"]) == (200, "Bobby", bob.id)
    assert [one["remark"] for one in ann.items("/friends")] == ["Bobby"]
    assert [one["remark"] for one in bob.items("/friends")] == [""]


@pytest.mark.req("APP-5")
def test_only_a_friend_has_a_remark(ann: Person, bob: Person) -> None:
    path = f"/friends/{bob.id}"

    assert_problem(ann("PATCH", path, body={"remark": "Bobby"}), 404, "not_found")
    assert_problem(ann("PATCH", path, body={"remark": "x" * 65}), 422, "invalid_field", "remark")


@pytest.mark.req("APP-5")
def test_a_friendship_ends_for_both_and_ending_it_again_is_no_fault(
    ann: Person, bob: Person
) -> None:
    befriend(ann, bob)

    for path in (f"/friends/{bob.id}", f"/friends/{bob.id}", "/friends/nobody"):
        assert ann("DELETE", path).status == 204

    assert ann.items("/friends") == bob.items("/friends") == []


@pytest.mark.req("APP-6")
def test_blocks_are_listed_with_profiles_and_end(ann: Person, bob: Person) -> None:
    for _ in range(2):
        assert ann("PUT", f"/blocks/{bob.id}").status == 204

    (block,) = ann.items("/blocks")
    assert (block["user_id"], block["user"]["username"]) == (bob.id, "bob")
    assert bob.items("/blocks") == []
    for _ in range(2):
        assert ann("DELETE", f"/blocks/{bob.id}").status == 204
    assert ann.items("/blocks") == []


@pytest.mark.req("APP-6")
def test_a_block_of_oneself_or_nobody_is_refused(ann: Person) -> None:
    assert_problem(ann("PUT", f"/blocks/{ann.id}"), 400, "self")
    assert_problem(ann("PUT", "/blocks/nobody"), 404, "user_not_found")
    assert ann("DELETE", "/blocks/nobody").status == 204


class Outbox:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.sent = 0

    def submit(self, _ctx: object, submissions: Sequence[object], /) -> None:
        self.sent += len(submissions)


@pytest.fixture
def outbox(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """Where messages go that are sent over REST."""
    made = Outbox()
    monkeypatch.setattr(bootstrap, "outbox", lambda: made)
    monkeypatch.setattr(bootstrap, "messages_table", lambda: None)
    return made


def send(sender: Person, receiver: Person) -> Reply:
    path = f"/conversations/{direct_id(sender.id, receiver.id)}/messages"
    return sender("POST", path, body={"content": "hello"})


@pytest.mark.req("APP-6")
def test_a_message_of_the_blocked_side_is_refused_before_kafka(
    outbox: Outbox, ann: Person, bob: Person
) -> None:
    ann("PUT", f"/blocks/{bob.id}")

    assert_problem(send(bob, ann), 403, "blocked")
    assert outbox.sent == 0
    assert send(ann, bob).status == 201
    ann("DELETE", f"/blocks/{bob.id}")
    assert send(bob, ann).status == 201
    assert outbox.sent == 2


@pytest.mark.req("APP-6")
def test_a_policy_says_whether_strangers_may_write(
    outbox: Outbox, ann: Person, bob: Person
) -> None:
    ann.rest.centre.values[POLICY] = '{"strangers_may_write": false}'

    assert_problem(send(ann, bob), 403, "not_friends")
    assert outbox.sent == 0
    befriend(ann, bob)
    assert (send(ann, bob).status, send(bob, ann).status) == (201, 201)


@pytest.mark.req("APP-6")
def test_of_a_broken_policy_the_last_good_one_stays(
    outbox: Outbox, ann: Person, bob: Person
) -> None:
    ann.rest.centre.values[POLICY] = '{"strangers_may_write": false}'
    assert send(ann, bob).status == 403

    ann.rest.centre.values[POLICY] = "{"

    assert_problem(send(ann, bob), 403, "not_friends")


def test_while_the_policy_was_never_read_only_friends_are_let_through(
    ann: Person, bob: Person
) -> None:
    cat = person(ann.rest, "cat")
    befriend(ann, bob)
    ann.rest.centre.is_away = True

    people.correspondence().require(ann.id, bob.id)
    with pytest.raises(UnavailableError):
        people.correspondence().require(ann.id, cat.id)


@pytest.mark.req("APP-4")
def test_somebody_whose_account_is_gone_stays_in_the_list_without_a_profile(
    ann: Person, bob: Person
) -> None:
    befriend(ann, bob)
    del ann.rest.users.rows[bob.id]

    (friend,) = ann.items("/friends")

    assert friend["user_id"] == bob.id
    assert "user" not in friend


@pytest.mark.req("APP-17")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/friends"),
        ("PATCH", "/friends/u"),
        ("DELETE", "/friends/u"),
        ("GET", "/friend-requests"),
        ("POST", "/friend-requests"),
        ("POST", "/friend-requests/r/accept"),
        ("POST", "/friend-requests/r/reject"),
        ("GET", "/blocks"),
        ("PUT", "/blocks/u"),
        ("DELETE", "/blocks/u"),
    ],
)
def test_nobody_does_any_of_this_without_a_token(rest: Rest, method: str, path: str) -> None:
    assert_problem(rest.call(method, f"/v1{path}"), 401, "unauthorized")
