from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.repo.offline import OfflineRepository
from tests.contract.conftest import Connect
from tests.fakes import FakeOffline, World

pytestmark = pytest.mark.req("IM-12", "APP-11")
Offline = OfflineRepository | FakeOffline
ROOM = "d-ann-bob"


@pytest.fixture(params=["fake", "endpoint"])
def offline(request: pytest.FixtureRequest) -> Offline:
    if request.param == "fake":
        return FakeOffline(World())
    return OfflineRepository(request.getfixturevalue("tables"))


@pytest.fixture
def user() -> str:
    return f"u{uuid4().hex[:19]}"


def test_pointers_are_read_back_without_those_that_do_not_stand(
    offline: Offline, user: str
) -> None:
    offline.mark({(user, ROOM): 3, (user, "d-x-y"): 2**40})

    found = offline.get([(user, "d-x-y"), (ROOM, user), (user, "none"), (user, ROOM), (user, ROOM)])

    assert found == {(user, ROOM): 3, (user, "d-x-y"): 2**40}
    assert offline.get([]) == {}


def test_more_pointers_are_marked_and_read_at_once_than_the_store_gives_in_one_answer(
    offline: Offline, user: str
) -> None:
    pointers = {(user, f"d-{at}"): at + 1 for at in range(230)}
    offline.mark(pointers)
    offline.mark({})

    assert offline.get(pointers) == pointers
    assert offline.of_user(user) == {room: seq for (_, room), seq in pointers.items()}


def test_the_pointers_of_a_user_are_listed_and_nobody_elses(offline: Offline, user: str) -> None:
    offline.mark({(user, ROOM): 3, (user, "d-x-y"): 4, (f"{user}b", ROOM): 5})

    assert offline.of_user(user) == {ROOM: 3, "d-x-y": 4}
    assert offline.of_user(f"{user}c") == {}


@pytest.mark.parametrize(("second", "stands"), [(2, 2), (3, 3), (4, 3)])
def test_of_two_missed_messages_the_earlier_is_pointed_at(
    offline: Offline, user: str, second: int, stands: int
) -> None:
    offline.mark({(user, ROOM): 3})

    offline.mark({(user, ROOM): second, (user, "d-x-y"): 9})

    assert offline.of_user(user) == {ROOM: stands, "d-x-y": 9}


@pytest.mark.parametrize(("up_to", "cleared"), [(2, False), (3, True), (4, True)])
def test_a_pointer_is_cleared_by_an_ack_that_reaches_it_and_by_no_other(
    offline: Offline, user: str, up_to: int, cleared: bool
) -> None:
    offline.mark({(user, ROOM): 3})

    assert offline.clear(user, ROOM, up_to) is cleared
    assert offline.of_user(user) == ({} if cleared else {ROOM: 3})


def test_clearing_removes_that_pointer_and_no_other(offline: Offline, user: str) -> None:
    others = {(user, f"{ROOM}b"): 1, (f"{user}b", ROOM): 1, (user, ROOM[:-1]): 1}
    offline.mark({**others, (user, ROOM): 1})

    assert offline.clear(user, ROOM, 9)

    assert offline.get([*others, (user, ROOM)]) == others


def test_a_pointer_is_cleared_once(offline: Offline, user: str) -> None:
    offline.mark({(user, ROOM): 3})

    assert [offline.clear(user, ROOM, 3), offline.clear(user, ROOM, 3)] == [True, False]
    assert not offline.clear(user, "never marked", 2**40)


def test_a_message_missed_after_the_clearing_is_pointed_at_anew(
    offline: Offline, user: str
) -> None:
    offline.mark({(user, ROOM): 3})
    offline.clear(user, ROOM, 3)

    offline.mark({(user, ROOM): 8})

    assert offline.of_user(user) == {ROOM: 8}


def test_a_pointer_that_another_writer_set_back_is_not_cleared_by_an_older_ack(
    offline: Offline, user: str
) -> None:
    offline.mark({(user, ROOM): 3})
    offline.clear(user, ROOM, 5)
    offline.mark({(user, ROOM): 6})

    assert not offline.clear(user, ROOM, 5)
    assert offline.of_user(user) == {ROOM: 6}


@pytest.mark.parametrize(("first_seq", "moved"), [(2, False), (3, False), (4, True)])
def test_a_pointer_moves_up_only(offline: Offline, user: str, first_seq: int, moved: bool) -> None:
    offline.mark({(user, ROOM): 3, (user, "d-x-y"): 1, (f"{user}b", ROOM): 1})

    assert offline.move(user, ROOM, first_seq) is moved

    assert offline.of_user(user) == {ROOM: max(3, first_seq), "d-x-y": 1}
    assert offline.of_user(f"{user}b") == {ROOM: 1}


def test_a_pointer_that_does_not_stand_is_not_made_by_moving_it(
    offline: Offline, user: str
) -> None:
    offline.mark({(user, ROOM): 3})
    offline.clear(user, ROOM, 3)

    assert not offline.move(user, ROOM, 4)
    assert offline.of_user(user) == {}


def test_of_many_writers_at_once_the_earliest_pointer_stands(connect: Connect, user: str) -> None:
    clients = [connect() for _ in range(6)]

    def mark(number: int) -> None:
        OfflineRepository(clients[number]).mark({(user, ROOM): number + 1})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(mark, reversed(range(6))))

    assert OfflineRepository(clients[0]).of_user(user) == {ROOM: 1}


@pytest.mark.parametrize(
    "use",
    [
        lambda offline: offline.get([("u", ROOM)]),
        lambda offline: offline.of_user("u"),
        lambda offline: offline.mark({("u", ROOM): 1}),
        lambda offline: offline.clear("u", ROOM, 1),
        lambda offline: offline.move("u", ROOM, 1),
    ],
    ids=["get", "of_user", "mark", "clear", "move"],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch, use: Callable[[OfflineRepository], Any]
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(OfflineRepository(tables))


@pytest.mark.req("TASK-6")
def test_pointers_are_listed_in_part_and_removed_wherever_they_begin(
    offline: Offline, user: str
) -> None:
    offline.mark({(user, f"d-{at}"): at + 1 for at in range(3)})

    some = offline.some_of_user(user, 2)
    offline.remove([*((user, room) for room in some), (user, "d-none")])

    assert some == ["d-0", "d-1"]
    assert offline.of_user(user) == {"d-2": 3}
