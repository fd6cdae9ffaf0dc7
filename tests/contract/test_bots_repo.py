from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Hears
from chalicelib.repo.bots import BotRepository
from tests.contract.conftest import Connect
from tests.fakes_integration import FakeBots, bot

pytestmark = pytest.mark.req("IM-12")
Bots = BotRepository | FakeBots


@pytest.fixture(params=["fake", "endpoint"])
def bots(request: pytest.FixtureRequest) -> Iterator[Bots]:
    if request.param == "fake":
        yield FakeBots()
        return
    made = BotRepository(request.getfixturevalue("tables"))
    yield made
    for one in made.all():
        made.delete(one.user_id)


def test_bots_are_read_back_whole_in_order_of_their_ids(bots: Bots) -> None:
    second = bot("b2", hears=Hears.ALL, hears_bots=True, url="", secret="")
    first = bot("b1")
    assert (bots.all(), bots.get("b1")) == ([], None)

    for one in (second, first):
        assert bots.put(one, new=True)

    assert bots.all() == [first, second]
    assert bots.get("b2") == second


def test_one_is_changed_unless_it_was_removed(bots: Bots) -> None:
    one = bot("b1")
    bots.put(one, new=True)

    assert bots.put(replace(one, hears=Hears.ALL), new=False)
    assert [found.hears for found in bots.all()] == [Hears.ALL]
    bots.delete("b1")
    bots.delete("b1")
    assert not bots.put(one, new=False)
    assert bots.all() == []


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    bots = BotRepository(connect())

    for call in (bots.get, bots.delete):
        with pytest.raises(UnavailableError):
            call("b1")
    with pytest.raises(UnavailableError):
        bots.all()
