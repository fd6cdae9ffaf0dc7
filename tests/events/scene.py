"""A few minutes of chat in short: so much happens that every function is invoked.

What differs from run to run (ids, tokens, addresses) has a name; event files have it as
``{{ann_id}}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import confluent_kafka

from chalicelib.broker.records import event_message
from chalicelib.task.events import BreakerChanged
from localstack.emulator import schedule
from localstack.emulator.template import load
from tests.e2e.client import Client, User, eventually
from tests.e2e.operators import aws, promote
from tests.e2e.receiver import receiving
from tests.e2e.system import ROOT, System

TEMPLATE = load(ROOT / "template.yaml", {"WordFilter": "example"})
_POLICY = "/lambchat/local/policy/acceptance"
_WORD_FILTER = {"function": "lambchat-local-hook-word-filter", "timeout_ms": 5000}
_SECONDS = 60.0
# A process of its own knows of a new policy at once.
_SEND = """
import sys
from chalicelib import bootstrap
from chalicelib.context import Context
from chalicelib.frames import Draft
draft = Draft(client_msg_id="filtered", content="this is forbidden here", to=sys.argv[2])
bootstrap.messages().send_message(Context(), sys.argv[1], [draft])
"""
_BREAKER = BreakerChanged(
    name="dynamodb", old_state="closed", new_state="open", process="example", at=1.0
)


async def play(system: System, folder: Path) -> dict[str, str]:
    """Has it happen; what has a name, with its value in this run.

    Args:
        system: It runs with ``--events``.
        folder: Where it writes them.
    """
    ann, bob = User.new(system.url, "ann"), User.new(system.url, "bob")
    a, b = [await Client(one, system.websocket_url).connect() for one in (ann, bob)]
    conversation = (await a.say("Hello.", to=bob.id))["conversation_id"]
    await b.received(conversation, 1)
    await _frames(a, conversation)
    assert ann.call("POST", "/v1/friend-requests", {"user_id": bob.id}).status == 201
    ann.get("/v1/conversations")
    _filtered(system, ann, bob)
    _produce(system)
    _invoke_scheduled(system)
    webhook = await _webhook(system, a, conversation)
    await b.close()
    wanted = [folder / f"{name}.jsonl" for name in TEMPLATE.functions]
    await eventually(lambda: all(one.exists() for one in wanted), _SECONDS)
    await a.close()
    return {
        **_of_users(folder, {"ann": ann, "bob": bob}),
        "conversation_id": conversation,
        "webhook_id": webhook,
        "kafka": system.environment()["KAFKA_BROKERS"],
        "rest_host": urlsplit(system.url).netloc,
        "socket_host": urlsplit(system.websocket_url).netloc,
    }


async def _frames(client: Client, conversation: str) -> None:
    """A frame of each type but `send`; the edit is the last of the changes."""
    where = {"conversation_id": conversation}
    for kind, members in (
        ("ping", {}),
        ("unheard-of", {}),
        ("ack", {**where, "seq": 1, "status": "read"}),
        ("sync", {"cursors": {conversation: 0}}),
        ("presence", {"status": "away"}),
        ("react", {**where, "seq": 1, "emoji": "+1"}),
        ("edit", {**where, "seq": 1, "content": "Hello, all."}),
    ):
        await client.ask(kind, **members)
    await client.send_raw(json.dumps({"type": "typing", **where}))


async def _webhook(system: System, client: Client, conversation: str) -> str:
    """Adds one, and writes until it is called: functions take some seconds to know of it."""
    admin = promote(system, User.new(system.url, "boss"))
    with receiving() as receiver:
        body = {"url": f"{receiver.url}/in", "events": ["message.stored"]}
        added = admin.call("POST", "/v1/admin/webhooks", body)
        assert added.status == 201, added.body

        async with asyncio.timeout(_SECONDS):
            while not receiver.posts:
                await client.say("Hello again.", conversation_id=conversation)
                await asyncio.sleep(0.5)
    webhook: str = added.body["id"]
    return webhook


def _filtered(system: System, sender: User, receiver: User) -> None:
    """A message that the word filter sees."""
    with contextlib.closing(aws(system, "ssm")) as client:
        client.put_parameter(Name=_POLICY, Value=json.dumps(_WORD_FILTER), Type="String")
        try:
            subprocess.run(
                [sys.executable, "-c", _SEND, sender.id, receiver.id],
                cwd=ROOT,
                check=True,
                capture_output=True,
                timeout=_SECONDS,
                env={**os.environ, **system.environment()},
            )
        finally:
            client.delete_parameter(Name=_POLICY)


def _produce(system: System) -> None:
    """An event that only a breaker sends."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": system.environment()["KAFKA_BROKERS"]}
    )
    message = event_message(_BREAKER, _BREAKER.name, trace_id="trace-of-the-example")
    producer.produce(
        message.topic, message.value, key=message.key, headers=list(message.headers.items())
    )
    producer.flush(_SECONDS)


def _invoke_scheduled(system: System) -> None:
    """What would take hours: each schedule's function, with the event of that schedule."""
    api = system.environment()["AWS_ENDPOINT_URL_LAMBDA"]
    for one in TEMPLATE.schedules:
        url = f"{api}/2015-03-31/functions/{one.function}/invocations"
        event = schedule.event(one, datetime.now(UTC))
        with urllib.request.urlopen(urllib.request.Request(url, event), timeout=_SECONDS):
            pass


def _of_users(folder: Path, users: dict[str, User]) -> dict[str, str]:
    """Ids and tokens; a connection's id is in the event that opened it."""
    names = {}
    for name, user in users.items():
        names |= {f"{name}_id": user.id, f"{name}_token": user.token, f"{name}_name": user.name}
        names[f"{name}_device_id"] = user.device_id
        for event in events_of(folder, "ConnectFunction"):
            request = event["requestContext"]
            if request["authorizer"]["user_id"] == user.id:
                names[f"{name}_session_id"] = request["authorizer"]["session_id"]
                names[f"{name}_connection_id"] = request["connectionId"]
    return names


def events_of(folder: Path, function: str) -> list[dict[str, Any]]:
    """What a function was invoked with, in order."""
    return [json.loads(line) for line in (folder / f"{function}.jsonl").read_bytes().splitlines()]
