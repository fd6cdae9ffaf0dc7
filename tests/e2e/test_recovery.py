"""A log that was set back is rebuilt from Kafka, with the numbers that its messages had."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time

import pytest

from chalicelib.models import rfc3339
from tests.e2e.client import User
from tests.e2e.conftest import connected
from tests.e2e.operators import aws
from tests.e2e.system import ROOT, System


def lambchat(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chalicelib.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **system.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lose(system: System, room: str, after: int) -> None:
    """As a restore of the tables to an earlier moment would."""
    with contextlib.closing(aws(system, "dynamodb")) as client:
        found = client.query(
            TableName="lambchat-local-messages",
            KeyConditionExpression="pk = :pk AND seq > :seq",
            ExpressionAttributeValues={":pk": {"S": room}, ":seq": {"N": str(after)}},
        )
        for item in found["Items"]:
            key = {name: item[name] for name in ("pk", "seq")}
            client.delete_item(TableName="lambchat-local-messages", Key=key)
        key = {"id": {"S": room}}
        client.delete_item(TableName="lambchat-local-conversations", Key=key)


def history(user: User, room: str) -> list[tuple[str, int, str]]:
    page = user.get(f"/v1/conversations/{room}/messages?after_seq=0")
    return [(one["id"], one["seq"], one["content"]) for one in page["items"]]


async def talk(system: System, ann: User, bob: User) -> str:
    """Six messages; the conversation's id."""
    writer, reader = await connected(system, ann, bob)
    room = ""
    for number in range(6):
        room = (await writer.say(f"message {number}", to=bob.id))["conversation_id"]
        await reader.received(room, number + 1)  # so that each is a segment of its own
    await asyncio.gather(writer.close(), reader.close())
    return room


@pytest.mark.req("APP-18")
def test_messages_that_the_tables_lost_come_back_from_kafka(
    system: System, ann: User, bob: User
) -> None:
    begun = time.time() - 1
    room = asyncio.run(talk(system, ann, bob))
    before = history(bob, room)
    lose(system, room, after=2)
    assert len(history(bob, room)) == 2

    again = ("messages", "--since", rfc3339(begun), "--idle-seconds", "1")
    rebuilt = lambchat(system, "rebuild", *again)

    assert rebuilt.returncode == 0, rebuilt.stderr
    assert history(bob, room) == before
    assert room not in lambchat(system, "check").stdout
