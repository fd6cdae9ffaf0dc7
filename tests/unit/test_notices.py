from __future__ import annotations

import json

from chalicelib.logic.notices import NoticeService
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
