from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.logic.receipts import Receipt, ReceiptService
from chalicelib.models import WORLD, AckStatus
from tests.fakes import FakeConnections, FakeLog, FakePush, World
from tests.fakes_groups import audiences
from tests.unit.test_delivery import ROOM, record, world_of_two, writer

pytestmark = pytest.mark.req("APP-13")
READ, DELIVERED = AckStatus.READ, AckStatus.DELIVERED


def service(world: World) -> ReceiptService:
    return ReceiptService(
        audiences=audiences(world),
        connections=FakeConnections(world),
        log=FakeLog(world),
        push=FakePush(world),
    )


def receipt(
    user_id: str, seq: int, status: AckStatus = READ, *, conversation_id: str = ROOM
) -> Receipt:
    return Receipt(conversation_id=conversation_id, user_id=user_id, seq=seq, status=status)


def told(world: World, connection_id: str) -> list[dict[str, Any]]:
    frames = [json.loads(text) for text in world.received[connection_id]]
    return [frame for frame in frames if frame["type"] == "receipt"]


def places(world: World, connection_id: str) -> list[tuple[str, int]]:
    return [(frame["status"], frame["seq"]) for frame in told(world, connection_id)]


def test_the_other_side_is_told_on_every_device_and_nobody_else() -> None:
    world = world_of_two()
    world.connect("ann", "conn-ann-2")
    world.user("cat", "conn-cat")

    service(world).notify([receipt("bob", 3)])

    frame = {"type": "receipt", "conversation_id": ROOM, "user_id": "bob", "seq": 3}
    assert told(world, "conn-ann") == told(world, "conn-ann-2") == [{**frame, "status": "read"}]
    assert told(world, "conn-bob") == told(world, "conn-cat") == []


def test_of_a_batch_only_the_furthest_of_each_kind_is_told() -> None:
    world = world_of_two()
    batch = [receipt("bob", 2), receipt("bob", 5, DELIVERED), receipt("bob", 4), receipt("bob", 3)]

    service(world).notify(batch)

    assert sorted(places(world, "conn-ann")) == [("delivered", 5), ("read", 4)]


def test_both_sides_of_a_conversation_are_told_of_each_other() -> None:
    world = world_of_two()

    service(world).notify([receipt("bob", 2), receipt("ann", 1)])

    assert places(world, "conn-ann") == [("read", 2)]
    assert places(world, "conn-bob") == [("read", 1)]


def test_in_the_world_room_only_the_sender_of_the_message_is_told() -> None:
    world = world_of_two()
    world.user("cat", "conn-cat")
    writer(world).deliver([record(0, 1, sender="ann", room=WORLD)])
    writer(world).deliver([record(1, 2, sender="cat", room=WORLD)])

    service(world).notify([receipt("bob", 1, conversation_id=WORLD)])

    assert places(world, "conn-ann") == [("read", 1)]
    assert told(world, "conn-bob") == told(world, "conn-cat") == []


def test_nobody_is_told_of_their_own_reading() -> None:
    world = world_of_two()
    writer(world).deliver([record(0, 1, sender="ann", room=WORLD)])

    service(world).notify([receipt("ann", 1, conversation_id=WORLD)])

    assert told(world, "conn-ann") == []


def test_a_receipt_of_a_message_that_is_not_there_tells_nobody() -> None:
    world = world_of_two()

    service(world).notify([receipt("bob", 99, conversation_id=WORLD)])

    assert told(world, "conn-ann") == []


def test_who_is_gone_misses_a_receipt_and_the_others_get_theirs() -> None:
    world = world_of_two()
    world.connect("ann", "conn-ann-2")
    world.gone.add("conn-ann")

    service(world).notify([receipt("bob", 1)])

    assert places(world, "conn-ann-2") == [("read", 1)]
