from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.errors import UserNotFoundError
from chalicelib.logic.users import UserService
from chalicelib.models import User
from tests.fakes_accounts import Clock, FakeUsers

CLOCK = Clock()
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def user(name: str) -> User:
    return User(
        id=f"u{name.lower()}",
        username=name,
        password_hash="hash",
        created_at=BEFORE,
        updated_at=BEFORE,
    )


@pytest.fixture
def users() -> FakeUsers:
    made = FakeUsers()
    for name in ("Anna", "andrew", "Bob"):
        made.create(user(name))
    return made


def test_a_user_is_found_by_id(users: FakeUsers) -> None:
    assert UserService(users, CLOCK).get("ubob").username == "Bob"


def test_nobody_is_said_to_be_nobody(users: FakeUsers) -> None:
    with pytest.raises(UserNotFoundError):
        UserService(users, CLOCK).get("ucarol")


@pytest.mark.req("APP-2")
def test_only_the_given_members_of_a_profile_change(users: FakeUsers) -> None:
    service = UserService(users, CLOCK)
    service.update("ubob", {"signature": "hi"})

    changed = service.update("ubob", {"nickname": "Bobby"})

    assert (changed.nickname, changed.signature, changed.created_at) == ("Bobby", "hi", BEFORE)
    assert changed.updated_at.timestamp() == CLOCK.now
    assert service.get("ubob") == changed


def test_a_profile_that_was_deleted_meanwhile_does_not_come_back(users: FakeUsers) -> None:
    users.set_profile = lambda _: False  # type: ignore[method-assign,assignment]

    with pytest.raises(UserNotFoundError):
        UserService(users, CLOCK).update("ubob", {"nickname": "Bobby"})


@pytest.mark.req("IM-6")
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_everybody_is_listed_page_by_page_in_order_of_names(users: FakeUsers, limit: int) -> None:
    service, found, position = UserService(users, CLOCK), [], None

    for _ in range(3 // limit + 1):
        page, position = service.everybody(after=position, limit=limit)
        found += [one.username for one in page]
        if position is None:
            break

    assert found == ["andrew", "Anna", "Bob"]
    assert position is None


def test_a_search_says_where_its_next_page_begins(users: FakeUsers) -> None:
    service = UserService(users, CLOCK)

    first, position = service.search("AN", after="", limit=1)
    second, end = service.search("AN", after=position or "", limit=1)

    assert [one.username for one in first + second] == ["andrew", "Anna"]
    assert position == "andrew"
    assert end is None
