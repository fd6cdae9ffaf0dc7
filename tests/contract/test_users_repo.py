from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import pytest

from chalicelib.aws import AwsError, JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import User
from chalicelib.repo.users import UserRepository
from tests.fakes_accounts import FakeUsers

Users = UserRepository | FakeUsers
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


@pytest.fixture(params=["fake", "endpoint"])
def users(request: pytest.FixtureRequest) -> Users:
    if request.param == "fake":
        return FakeUsers()
    return UserRepository(request.getfixturevalue("tables"))


def user(name: str = "", **members: object) -> User:
    fresh = User(
        id=f"u{uuid4().hex[:19]}",
        username=name or f"Name{uuid4().hex[:12]}",
        password_hash="hash",
        created_at=MOMENT,
        updated_at=MOMENT,
    )
    return replace(fresh, **members)  # type: ignore[arg-type]


@pytest.mark.req("IM-10", "IM-2")
def test_a_created_user_is_read_back_whole(users: Users) -> None:
    one = user(nickname="Zoë 👩‍🚀", signature="שלום", avatar="https://a/b", roles=("admin",))

    created = users.create(one)

    assert created
    assert users.get(one.id) == one


def test_a_user_is_found_by_name_whatever_its_case(users: Users) -> None:
    one = user()
    users.create(one)

    found = users.by_name(one.username.swapcase())

    assert found == one


def test_nobody_is_found_by_an_unknown_name_or_id(users: Users) -> None:
    assert users.by_name("nobody-has-this") is None
    assert users.get("unobody") is None


def test_several_users_are_found_at_once_without_those_who_do_not_exist(users: Users) -> None:
    one, other = user(), user()
    users.create(one)
    users.create(other)

    found = users.get_many([one.id, "unobody", other.id, one.id])

    assert found == {one.id: one, other.id: other}
    assert users.get_many([]) == {}


def test_a_name_is_given_once(users: Users) -> None:
    one, other = user("Taken.One"), user("taken.one")
    users.create(one)

    created = users.create(other)

    assert not created
    assert users.get(other.id) is None
    assert users.by_name("taken.one") == one


def test_creating_the_same_user_again_is_no_fault(users: Users) -> None:
    one = user()
    users.create(one)

    assert users.create(one)


def test_a_password_is_replaced_only_where_it_is_still_the_one_that_was_read(users: Users) -> None:
    one = user()
    users.create(one)

    assert users.set_password(one, "second")
    assert not users.set_password(one, "third")
    assert users.get(one.id) == replace(one, password_hash="second")


def test_a_profile_is_changed_and_nothing_else(users: Users) -> None:
    one = user()
    users.create(one)
    users.set_password(one, "second")

    assert users.set_profile(replace(one, nickname="Nick", gender="female"))

    stored = users.get(one.id)
    assert stored == replace(one, nickname="Nick", gender="female", password_hash="second")


def test_roles_are_replaced_and_nobody_gets_any(users: Users) -> None:
    one, nobody = user(roles=("admin",)), user()
    users.create(one)

    assert users.set_roles(one, ["moderator"])
    assert users.get(one.id) == replace(one, roles=("moderator",))
    assert users.set_roles(one, [])
    assert users.get(one.id) == replace(one, roles=())
    assert not users.set_roles(nobody, ["moderator"])
    assert users.get(nobody.id) is None


def test_the_profile_of_nobody_is_not_created(users: Users) -> None:
    one = user()

    assert not users.set_profile(one)
    assert users.get(one.id) is None


@pytest.mark.req("APP-2")
def test_a_search_finds_the_beginnings_of_names_in_order_and_page_by_page(users: Users) -> None:
    prefix = f"q{uuid4().hex[:8]}"
    names = [prefix + end for end in ("", "-a", ".b", "0", "_c", "z")]
    for name in reversed(names):
        users.create(user(name.upper()))
    users.create(user(prefix[:-1]))

    first = users.search(prefix, after="", limit=4)
    second = users.search(prefix, after=first[-1].username.lower(), limit=4)

    assert [one.username.lower() for one in first + second] == names


def test_a_store_that_is_away_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, tables: JsonService
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    users = UserRepository(tables)

    with pytest.raises(UnavailableError) as caught:
        users.get("u1")
    with pytest.raises(UnavailableError):
        users.create(user())
    assert caught.value.__cause__ is not None


def test_a_user_of_an_earlier_version_is_read(tables: JsonService) -> None:
    """As pynamodb wrote them, before there were addresses."""
    item = {
        "pk": {"S": "user#early"},
        "user_id": {"S": "early"},
        "initial": {"S": "e"},
        "name_key": {"S": "early"},
        "username": {"S": "Early"},
        "password_hash": {"S": "hash"},
        "nickname": {"S": ""},
        "avatar": {"S": ""},
        "signature": {"S": ""},
        "gender": {"S": ""},
        "roles": {"L": [{"S": "admin"}]},
        "created_at": {"S": "2026-01-02T03:04:05.678000+0000"},
        "updated_at": {"S": "2026-01-02T03:04:05.678000+0000"},
    }
    tables.call("PutItem", {"TableName": "lambchat-contract-users", "Item": item})

    found = UserRepository(tables).get("early")

    assert found == replace(user("Early"), id="early", roles=("admin",))


@pytest.mark.req("TASK-6")
def test_of_a_deleted_user_nothing_is_found(users: Users) -> None:
    one = user(nickname="Zoë", email="zoe@example.org")
    users.create(one)

    users.erase(one.id, MOMENT)
    users.erase(one.id, MOMENT)

    assert users.get(one.id) is None
    assert users.get_many([one.id]) == {}
    assert users.by_name(one.username) is None
    assert users.search(one.username.lower(), after="", limit=5) == []


def test_a_deleted_user_is_not_changed_and_does_not_come_back(users: Users) -> None:
    one = user()
    users.create(one)
    users.erase(one.id, MOMENT)

    assert not users.create(one)
    assert not users.create(replace(one, id=f"{one.id}b"))
    assert not users.set_profile(replace(one, nickname="new"))
    assert not users.set_password(one, "new")
    assert users.get(one.id) is None


def test_nobody_can_be_deleted(users: Users) -> None:
    users.erase("nobody", MOMENT)

    assert users.get("nobody") is None


def test_what_is_kept_of_a_deleted_user_says_nothing_of_them(tables: JsonService) -> None:
    users, one = UserRepository(tables), user(nickname="Zoë", email="zoe@example.org", roles=("x",))
    users.create(one)

    users.erase(one.id, MOMENT)

    key = {"pk": {"S": f"user#{one.id}"}}
    found = tables.call("GetItem", {"TableName": "lambchat-contract-users", "Key": key})
    assert found["Item"].keys() == {"pk", "user_id", "deleted_at"}


@pytest.mark.parametrize(
    ("reasons", "answer"),
    [
        ("[ConditionalCheckFailed, None]", False),
        ("[ConditionalCheckFailed, TransactionConflict]", False),
        ("[TransactionConflict, None]", None),
    ],
)
def test_only_a_condition_says_that_a_name_is_taken(reasons: str, answer: bool | None) -> None:
    """DynamoDB's words: a conflict may end both of two writers, and nobody has the name."""

    class Cancelled:
        def call_all(self, calls: object) -> list[AwsError]:
            message = f"Transaction cancelled, please refer cancellation reasons {reasons}"
            return [AwsError("TransactionCanceledException", message, 400)]

    users = UserRepository(cast("JsonService", Cancelled()))

    if answer is None:
        with pytest.raises(UnavailableError):
            users.create(user())
    else:
        assert users.create(user()) is answer
