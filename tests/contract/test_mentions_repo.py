from __future__ import annotations

from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import EVERYBODY, Mention, direct_id
from chalicelib.repo.mentions import MAX_COUNTED, MentionRepository
from tests.fakes import World
from tests.fakes_changes import FakeMentions

pytestmark = pytest.mark.req("IM-12", "APP-13")
Mentions = MentionRepository | FakeMentions


@pytest.fixture(params=["fake", "endpoint"])
def mentions(request: pytest.FixtureRequest) -> Mentions:
    if request.param == "fake":
        return FakeMentions(World())
    return MentionRepository(request.getfixturevalue("tables"))


@pytest.fixture
def user() -> str:
    return f"u{uuid4().hex[:19]}"


@pytest.fixture
def room() -> str:
    return f"g-{uuid4().hex[:19]}"


def mention(user: str, room: str, seq: int) -> Mention:
    return Mention(
        conversation_id=room, seq=seq, user_id=user, sender_id="ann", expires_at=2_000_000_000
    )


def numbers(mentions: Mentions, user: str, room: str, after: int, last: int) -> list[list[int]]:
    rows = mentions.between(user, {room: (after, last)})[room]
    return [sorted(one.seq for one in some) for some in rows]


def test_a_range_has_the_mentions_of_the_user_and_of_everybody(
    mentions: Mentions, user: str, room: str
) -> None:
    mine = [mention(user, room, seq) for seq in (1, 2, 9, 10, 11)]
    for_all = [mention(EVERYBODY, room, seq) for seq in (2, 10)]
    mentions.add([*mine, *for_all, mention(f"{user}b", room, 10), mention(user, f"{room}b", 10)])

    assert mentions.between(user, {room: (9, 10)}) == {room: ([mine[3]], [for_all[1]])}
    assert numbers(mentions, user, room, 0, 11) == [[1, 2, 9, 10, 11], [2, 10]]
    assert numbers(mentions, f"{user}c", room, 0, 9) == [[], [2]]


def test_several_conversations_are_asked_for_at_once(mentions: Mentions, user: str) -> None:
    rooms = [direct_id(user, uuid4().hex), f"g-{uuid4().hex}", "world"]
    mentions.add([mention(user, one, 3) for one in rooms[:2]])

    found = mentions.between(user, dict.fromkeys(rooms, (2, 3)))

    assert [[one.seq for one in found[room][0]] for room in rooms] == [[3], [3], []]
    assert mentions.between(user, {}) == {}


def test_what_is_void_stays_so_whatever_comes_later(
    mentions: Mentions, user: str, room: str
) -> None:
    one, other = mention(user, room, 1), mention(user, room, 2)
    mentions.add([one])

    mentions.void([one, other])
    mentions.add([one, other])

    (own, _) = mentions.between(user, {room: (0, 2)})[room]
    assert sorted((row.seq, row.void) for row in own) == [(1, True), (2, True)]


def test_a_users_mentions_go_some_at_a_time(mentions: Mentions, user: str, room: str) -> None:
    mentions.add([mention(user, room, seq) for seq in (1, 2, 3)])

    assert mentions.erase(user, 2)
    assert len(numbers(mentions, user, room, 0, 3)[0]) == 1
    assert mentions.erase(user, 2)

    assert not mentions.erase(user, 2)


def test_of_very_many_the_newest_are_looked_at(tables: JsonService, user: str, room: str) -> None:
    mentions = MentionRepository(tables)
    mentions.void([mention(user, room, seq) for seq in range(1, MAX_COUNTED + 3)])

    own, _ = numbers(mentions, user, room, 0, MAX_COUNTED + 2)

    assert own == list(range(3, MAX_COUNTED + 3))


def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    mentions = MentionRepository(tables)

    for asked in (
        lambda: mentions.add([mention("u", "g-1", 1)]),
        lambda: mentions.void([mention("u", "g-1", 1)]),
        lambda: mentions.between("u", {"g-1": (0, 1)}),
        lambda: mentions.erase("u", 1),
    ):
        with pytest.raises(UnavailableError):
            asked()
