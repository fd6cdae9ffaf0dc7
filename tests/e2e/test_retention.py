"""Old messages expire in the running system."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys

import pytest

from tests.e2e.client import User
from tests.e2e.conftest import connected
from tests.e2e.operators import aws
from tests.e2e.system import ROOT, System

LONG_AGO = "1900-01-01T00:00:00.000Z"
POLICY = {"messages_days": 36_500}  # a hundred years: nothing of the other tests is so old


@pytest.mark.req("APP-12")
def test_history_shows_a_tombstone_where_a_message_expired(
    system: System, ann: User, bob: User
) -> None:
    asyncio.run(_expire(system, ann, bob))


async def _expire(system: System, ann: User, bob: User) -> None:
    (writer,) = await connected(system, ann)
    sent = [await writer.say(text, to=bob.id) for text in ("old", "new")]
    room = sent[0]["conversation_id"]
    await writer.received(room, 2)
    await writer.close()
    await asyncio.to_thread(_age, system, room)
    await asyncio.to_thread(_run, system)

    page = await asyncio.to_thread(bob.get, f"/v1/conversations/{room}/messages?after_seq=0")

    old, new = page["items"]
    assert (old["seq"], old["content"], "expires_at" in old) == (1, "", True)
    assert old["id"] == sent[0]["message_id"]
    assert (new["seq"], new["content"], "expires_at" in new) == (2, "new", False)


def _age(system: System, room: str) -> None:
    """Puts the first message, and the conversation, into another century."""
    with contextlib.closing(aws(system, "dynamodb")) as client:
        key = {"pk": {"S": room}, "seq": {"N": "1"}}
        item = client.get_item(TableName="lambchat-local-messages", Key=key)["Item"]
        messages = json.loads(item["messages"]["S"])
        messages[0]["created_at"] = LONG_AGO
        for table, where, name, value in (
            ("messages", key, "messages", json.dumps(messages)),
            ("conversations", {"id": {"S": room}}, "created_at", LONG_AGO),
        ):
            client.update_item(
                TableName=f"lambchat-local-{table}",
                Key=where,
                UpdateExpression="SET #name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"S": value}},
            )


def _run(system: System) -> None:
    """Sets the policy and runs the function, which its schedule does each six hours."""
    with contextlib.closing(aws(system, "ssm")) as client:
        client.put_parameter(
            Name="/lambchat/local/policy/retention",
            Value=json.dumps(POLICY),
            Type="String",
            Overwrite=True,
        )
    done = subprocess.run(
        [sys.executable, "-c", "from functions.retention import handler; handler({}, None)"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )
    assert done.returncode == 0, done.stderr
    assert '"finished":true' in done.stdout, done.stdout
