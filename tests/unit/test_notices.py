from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from chalicelib.errors import UnavailableError
from chalicelib.logic.notices import NoticeService
from chalicelib.models import Connection
from tests.fakes import FakeConnections, FakePush, World


def test_every_device_of_everybody_concerned_is_told_once() -> None:
    world = World()
    world.user("ann", "phone", "laptop")
    world.user("bob", "tablet")
    world.user("cat", "other")
    world.user("dan")
    service = NoticeService(connections=FakeConnections(world), push=FakePush(world))

    service.tell(["ann", "bob", "dan", "ann"], "friend.deleted", {"user_id": "ann"})

    told = {key: [json.loads(text) for text in texts] for key, texts in world.received.items()}
    frame = {"type": "event", "event": "friend.deleted", "data": {"user_id": "ann"}}
    assert told == {"phone": [frame], "laptop": [frame], "tablet": [frame]}


def test_a_store_that_is_away_costs_the_notice_and_nothing_else() -> None:
    world = World()
    world.user("ann", "phone")

    class Away(FakeConnections):
        def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]:
            raise UnavailableError

    NoticeService(connections=Away(world), push=FakePush(world)).tell(["ann"], "x", {})

    assert world.received == {}
