from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import ConversationMember, Role
from chalicelib.repo.members import MemberRepository
from tests.contract.conftest import Connect
from tests.fakes import FakeMembers, World

pytestmark = pytest.mark.req("IM-12")
Members = MemberRepository | FakeMembers


@pytest.fixture(params=["fake", "endpoint"])
def members(request: pytest.FixtureRequest) -> Members:
    if request.param == "fake":
        return FakeMembers(World())
    return MemberRepository(request.getfixturevalue("tables"))


@pytest.fixture
def row() -> ConversationMember:
    return ConversationMember(
        conversation_id=f"d-{uuid4().hex}",
        user_id=f"u{uuid4().hex[:19]}",
        read_seq=3,
        delivered_seq=5,
        role=Role.OWNER,
        own=2,
        own_seq=4,
        joined_seq=1,
    )


def pair(row: ConversationMember) -> tuple[str, str]:
    return row.conversation_id, row.user_id


def stored(members: Members, row: ConversationMember) -> ConversationMember | None:
    return members.get([pair(row)]).get(pair(row))


@pytest.mark.parametrize("role", Role)
def test_an_added_member_is_read_back_whole(
    members: Members, row: ConversationMember, role: Role
) -> None:
    members.add([replace(row, role=role)])

    assert stored(members, row) == replace(row, role=role)


def test_a_member_who_is_there_stays_as_they_are_and_the_others_are_added(
    members: Members, row: ConversationMember
) -> None:
    other = replace(row, user_id=f"{row.user_id}b")
    members.add([row])

    members.add([replace(row, read_seq=0, role=Role.MEMBER), other])
    members.add([])

    assert members.get([pair(row), pair(other)]) == {pair(row): row, pair(other): other}


def test_several_members_are_read_at_once_without_those_who_do_not_exist(
    members: Members, row: ConversationMember
) -> None:
    elsewhere = replace(row, conversation_id=f"{row.conversation_id}b")
    members.add([row, elsewhere])
    swapped = (row.user_id, row.conversation_id)

    found = members.get([pair(elsewhere), ("nowhere", row.user_id), swapped, pair(row), pair(row)])

    assert found == {pair(row): row, pair(elsewhere): elsewhere}
    assert members.get([]) == {}


def test_more_members_are_read_at_once_than_the_store_gives_in_one_answer(
    members: Members, row: ConversationMember
) -> None:
    rows = [replace(row, user_id=f"{row.user_id}-{at}", read_seq=at) for at in range(230)]
    members.add(rows)

    assert members.get(map(pair, rows)) == {pair(one): one for one in rows}


@pytest.mark.req("IM-10")
def test_the_conversations_of_a_user_are_listed_and_nobody_elses(
    members: Members, row: ConversationMember
) -> None:
    rows = [replace(row, conversation_id=f"{row.conversation_id}-{at}") for at in range(120)]
    members.add([*rows, *(replace(one, user_id=f"{row.user_id}b") for one in rows[:5])])

    found = members.of_user(row.user_id)

    assert sorted(found, key=pair) == sorted(rows, key=pair)
    assert members.of_user(f"{row.user_id}c") == []


def test_a_place_is_replaced_together_with_the_count_of_own_messages(
    members: Members, row: ConversationMember
) -> None:
    new = replace(row, read_seq=7, delivered_seq=8, own=9, own_seq=10)
    members.add([row])

    assert members.replace(row, new)
    assert stored(members, row) == new
    assert members.of_user(row.user_id) == [new]


def test_replacing_a_place_leaves_role_and_beginning_alone(
    members: Members, row: ConversationMember
) -> None:
    members.add([row])
    read_earlier = replace(row, role=Role.MEMBER, joined_seq=0)

    assert members.replace(read_earlier, replace(read_earlier, read_seq=7))
    assert stored(members, row) == replace(row, read_seq=7)


def test_replacing_a_place_leaves_every_other_place_alone(
    members: Members, row: ConversationMember
) -> None:
    others = [
        replace(row, user_id=f"{row.user_id}b"),
        replace(row, conversation_id=f"{row.conversation_id}b"),
    ]
    members.add([row, *others])

    members.replace(row, replace(row, read_seq=7))

    assert members.get(map(pair, others)) == {pair(one): one for one in others}


@pytest.mark.parametrize("field", ["read_seq", "delivered_seq", "own_seq"])
def test_a_place_that_another_writer_moved_is_not_replaced(
    members: Members, row: ConversationMember, field: str
) -> None:
    moved = replace(row, **{field: 99})  # type: ignore[arg-type]
    members.add([row])
    assert members.replace(row, moved)

    assert not members.replace(row, replace(row, read_seq=7, own=1))
    assert stored(members, row) == moved


def test_the_same_replacement_again_is_refused(members: Members, row: ConversationMember) -> None:
    new = replace(row, read_seq=7)
    members.add([row])

    assert [members.replace(row, new), members.replace(row, new)] == [True, False]
    assert stored(members, row) == new


def test_the_place_of_nobody_is_not_made_by_replacing_it(
    members: Members, row: ConversationMember
) -> None:
    assert not members.replace(row, replace(row, read_seq=7))

    assert stored(members, row) is None
    assert members.of_user(row.user_id) == []


def test_of_many_writers_at_once_none_loses_what_another_counted(
    connect: Connect, row: ConversationMember
) -> None:
    repositories = [MemberRepository(connect()) for _ in range(5)]
    repositories[0].add([row])

    def count_one(members: MemberRepository) -> None:
        while old := stored(members, row):
            if members.replace(old, replace(old, own=old.own + 1, own_seq=old.own_seq + 1)):
                return

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(count_one, repositories * 4))

    assert stored(repositories[0], row) == replace(row, own=row.own + 20, own_seq=row.own_seq + 20)


@pytest.mark.parametrize(
    "use",
    [
        lambda members, row: members.add([row]),
        lambda members, row: members.get([pair(row)]),
        lambda members, row: members.of_user(row.user_id),
        lambda members, row: members.replace(row, row),
    ],
    ids=["add", "get", "of_user", "replace"],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService,
    monkeypatch: pytest.MonkeyPatch,
    row: ConversationMember,
    use: Callable[[MemberRepository, ConversationMember], Any],
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(MemberRepository(tables), row)


def test_the_memberships_of_a_user_come_in_pages(members: Members, row: ConversationMember) -> None:
    rows = [replace(row, conversation_id=f"{row.conversation_id}-{at}") for at in range(3)]
    members.add([*rows, replace(row, user_id=f"{row.user_id}b")])

    first = members.page_of_user(row.user_id, after="", limit=2)
    rest = members.page_of_user(row.user_id, after=first[-1].conversation_id, limit=2)

    assert [*first, *rest] == rows
    assert len(first) == 2


@pytest.mark.req("TASK-6")
def test_removed_members_are_gone_and_the_others_stay(
    members: Members, row: ConversationMember
) -> None:
    other = replace(row, user_id=f"{row.user_id}b")
    members.add([row, other])

    members.remove([pair(row), ("nowhere", row.user_id)])
    members.remove([])

    assert members.get([pair(row), pair(other)]) == {pair(other): other}
    assert members.of_user(row.user_id) == []
