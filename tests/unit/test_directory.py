from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.directory import MAX_AGE_SECONDS, Directory
from tests.fakes import FakeConnections, World
from tests.fakes_accounts import Clock


class Users:
    """Who exists, and who was asked for."""

    def __init__(self, *existing: str) -> None:
        self.existing = set(existing)
        self.asked: list[str] = []

    def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        asked = list(user_ids)
        self.asked.extend(asked)
        return {user_id: {} for user_id in asked if user_id in self.existing}


def test_that_a_user_exists_is_remembered_for_some_seconds() -> None:
    users, clock = Users("ann"), Clock()
    directory = Directory(users, clock)

    assert directory.exists("ann")
    clock.now += MAX_AGE_SECONDS - 0.1
    assert directory.exists("ann")
    assert users.asked == ["ann"]


def test_a_user_who_was_deleted_is_gone_within_the_time_the_contract_gives() -> None:
    users, clock = Users("ann"), Clock()
    directory = Directory(users, clock)
    assert directory.exists("ann")
    users.existing.clear()

    clock.now += 5.0

    assert not directory.exists("ann")


def test_a_user_who_registers_is_found_at_once() -> None:
    users = Users()
    directory = Directory(users, Clock())
    assert not directory.exists("ann")

    users.existing.add("ann")

    assert directory.exists("ann")


def test_the_memory_is_bounded() -> None:
    users = Users("ann", *(f"user{number}" for number in range(10_000)))
    directory = Directory(users, Clock())
    assert directory.exists("ann")

    assert all(directory.exists(f"user{number}") for number in range(10_000))
    assert directory.exists("ann")

    assert users.asked.count("ann") == 2
    assert users.asked.count("user9999") == 1


@pytest.mark.req("BRK-7")
def test_while_the_store_is_away_who_was_seen_still_exists() -> None:
    users, clock = Users("ann", "bob"), Clock()
    directory = Directory(users, clock)
    assert directory.exists("ann")

    def away(_user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        raise UnavailableError

    users.users = away  # type: ignore[method-assign]
    clock.now += 3600.0

    assert directory.exists("ann")
    with pytest.raises(UnavailableError):
        directory.exists("bob")


@pytest.mark.req("TASK-6")
def test_a_deleted_user_exists_no_more_but_did() -> None:
    world = World()
    world.user("ann")
    connections = FakeConnections(world)
    directory = Directory(connections, world.clock)

    connections.close_user("ann")

    assert not directory.exists("ann")
    assert directory.existed("ann")
    assert not directory.existed("nobody")
