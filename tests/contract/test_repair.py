"""`lambchat check` and `lambchat rebuild`, on the tables as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.models import Segment, direct_id
from chalicelib.repo.conversations import ConversationRepository
from chalicelib.repo.dynamodb import call, encode_item
from chalicelib.repo.members import MemberRepository
from chalicelib.repo.messages import MessageRepository
from tests.fakes import World
from tests.unit.test_delivery import record, world_of_two, writer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def room() -> str:
    return direct_id(f"ann{uuid4().hex}", "bob")


@pytest.fixture
def delivered(tables: JsonService, room: str) -> World:
    """A conversation of 20 messages in the tables, as `deliver` leaves it."""
    world = world_of_two()
    service = writer(world)
    for at in range(20):
        service.deliver([record(at, at, sender="bob" if at % 3 else "ann", room=room)])
    for segment in world.segments[room].values():
        assert MessageRepository(tables).append([segment]) == [True]
    ConversationRepository(tables).advance([world.heads[room]])
    rows = [row for (id_, _), row in world.members.items() if id_ == room]
    MemberRepository(tables).add(rows)
    return world


def lambchat(room: str, *arguments: str) -> tuple[int, list[str]]:
    """What a command says of this conversation; other tests leave others in the same tables."""
    done = subprocess.run(
        [sys.executable, "-m", "chalicelib.cli", *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    lines = [line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line]
    return done.returncode, [text for id_, text in lines if id_ == room]


def test_a_log_that_was_set_back_is_found_and_what_is_derived_is_derived_again(
    tables: JsonService, delivered: World, room: str
) -> None:
    row = MemberRepository(tables).get([(room, "bob")])[room, "bob"]
    lost: list[Segment] = [one for at, one in delivered.segments[room].items() if at > 10]
    for segment in lost:
        key = encode_item({"pk": room, "seq": segment.first_seq})
        call(tables, "DeleteItem", TableName="lambchat-contract-messages", Key=key)

    code, said = lambchat(room, "check")
    assert code == 1
    assert said[0] == "head: last_seq 17 is not the end of a segment; the log ends at 10"

    assert lambchat(room, "rebuild", "heads") == (0, ["head written, last_seq 10"])
    assert lambchat(room, "rebuild", "places")[0] == 0
    assert lambchat(room, "check")[1] == []
    assert MemberRepository(tables).get([(room, "bob")])[room, "bob"].read_seq <= row.read_seq
