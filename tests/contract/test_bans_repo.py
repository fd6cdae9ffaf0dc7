from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Ban
from chalicelib.repo.bans import BanRepository
from tests.contract.conftest import Connect
from tests.fakes_accounts import Clock
from tests.fakes_admin import FakeBans

Bans = BanRepository | FakeBans


@pytest.fixture
def clock() -> Clock:
    # Later than the bans of earlier tests: the newest are listed first.
    return Clock(1_800_000_000.0 + (uuid4().int % 10**9))


@pytest.fixture(params=["fake", "endpoint"])
def bans(request: pytest.FixtureRequest, clock: Clock) -> Bans:
    if request.param == "fake":
        return FakeBans(clock)
    return BanRepository(request.getfixturevalue("tables"), clock=clock)


@pytest.fixture
def ban(clock: Clock) -> Ban:
    return Ban(
        user_id=f"u{uuid4().hex[:19]}",
        banned_by="uadmin",
        banned_at=clock.now + 0.125,
        until=clock.now + 100.5,
        reason="Zoë’s 📱",
    )


@pytest.mark.req("APP-16")
def test_a_ban_is_read_back_whole(bans: Bans, ban: Ban) -> None:
    bans.put(ban)

    assert bans.get(ban.user_id) == ban
    assert bans.get("unobody") is None


def test_a_ban_for_good_never_ends(bans: Bans, ban: Ban, clock: Clock) -> None:
    for_good = replace(ban, until=None, reason="")
    bans.put(for_good)

    clock.now += 10**9

    assert bans.get(ban.user_id) == for_good


def test_a_ban_that_has_ended_is_as_good_as_none(bans: Bans, ban: Ban, clock: Clock) -> None:
    bans.put(ban)

    clock.now += 100.5

    assert bans.get(ban.user_id) is None


def test_a_later_ban_replaces_the_one_before(bans: Bans, ban: Ban) -> None:
    bans.put(ban)
    bans.put(replace(ban, until=None, banned_at=ban.banned_at + 1))

    found = bans.get(ban.user_id)
    assert found is not None
    assert found.until is None


def test_a_ban_is_lifted_however_often(bans: Bans, ban: Ban) -> None:
    bans.put(ban)

    bans.delete(ban.user_id)
    bans.delete(ban.user_id)

    assert bans.get(ban.user_id) is None


def test_bans_that_hold_are_listed_the_newest_first(bans: Bans, ban: Ban, clock: Clock) -> None:
    far = clock.now + 10**10  # newer than whatever stands in the table
    ids = [f"u{uuid4().hex[:19]}" for _ in range(5)]
    for number, user_id in enumerate(ids):
        until = clock.now if number == 3 else None
        bans.put(replace(ban, user_id=user_id, banned_at=far + number + 0.5, until=until))

    found: list[str] = []
    after = None
    while len(found) < 4:
        page, after = bans.page(after=after, limit=2)
        found.extend(one.user_id for one in page)
        if after is None:
            break
    for user_id in ids:
        bans.delete(user_id)

    assert found[:4] == [ids[4], ids[2], ids[1], ids[0]]


def test_a_store_that_refuses_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        BanRepository(connect()).get("u1")
