from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.repo.webhooks import WebhookRepository
from tests.contract.conftest import Connect
from tests.fakes_integration import FakeWebhooks, webhook

pytestmark = pytest.mark.req("IM-12")
Webhooks = WebhookRepository | FakeWebhooks


@pytest.fixture(params=["fake", "endpoint"])
def webhooks(request: pytest.FixtureRequest) -> Iterator[Webhooks]:
    if request.param == "fake":
        yield FakeWebhooks()
        return
    made = WebhookRepository(request.getfixturevalue("tables"))
    yield made
    for one in made.all():
        made.delete(one.id)


def test_receivers_are_read_back_whole_in_order_of_their_ids(webhooks: Webhooks) -> None:
    second = webhook("w2", events=("message.stored", "group.created"), active=False)
    first = webhook("w1", description="crm", old_secret="whsec_b2xk", old_secret_until=12.5)
    assert webhooks.all() == []

    for one in (second, first):
        assert webhooks.put(one, new=True)

    assert webhooks.all() == [first, second]


def test_one_is_changed_unless_it_was_removed(webhooks: Webhooks) -> None:
    one = webhook("w1")
    webhooks.put(one, new=True)

    assert webhooks.put(replace(one, active=False), new=False)
    assert [found.active for found in webhooks.all()] == [False]
    webhooks.delete("w1")
    webhooks.delete("w1")
    assert not webhooks.put(one, new=False)
    assert webhooks.all() == []


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    webhooks = WebhookRepository(connect())

    with pytest.raises(UnavailableError):
        webhooks.all()
    with pytest.raises(UnavailableError):
        webhooks.put(webhook(), new=True)
    with pytest.raises(UnavailableError):
        webhooks.delete("w1")
