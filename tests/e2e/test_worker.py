"""A worker joins the triggers' groups, takes its share, and leaves without a loss."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.e2e.client import Client, User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import ROOT, System

PAIRS = 8
MESSAGES = 30


@dataclass
class Worker:
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.lines.extend(lines)

    def said(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))


@pytest.fixture
def worker(system: System) -> Iterator[Worker]:
    process = subprocess.Popen(
        [sys.executable, "-m", "chalicelib.cli", "worker"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **system.environment()},
    )
    made = Worker(process)
    reader = threading.Thread(target=made.read)
    reader.start()
    yield made
    process.kill()
    process.wait()
    reader.join()


async def chat(writer: Client, reader: Client, start: int) -> str:
    conversation = ""
    for number in range(start, start + MESSAGES):
        answer = await writer.say(f"message {number}", to=reader.user.id)
        conversation = answer["conversation_id"]
    return conversation


@pytest.mark.full
@pytest.mark.timeout(240)
@pytest.mark.req("TASK-2", "TASK-3", "TASK-7", "TASK-9")
def test_a_worker_shares_the_work_of_the_triggers_and_stops_without_a_loss(
    system: System, worker: Worker
) -> None:
    users = [User.new(system.url, f"w{number}") for number in range(2 * PAIRS)]
    asyncio.run(_share(system, worker, users))


async def _share(system: System, worker: Worker, users: list[User]) -> None:
    clients = await connected(system, *users)
    pairs = list(zip(clients[:PAIRS], clients[PAIRS:], strict=True))
    assert await eventually(lambda: worker.said("worker ready"), 60.0), worker.lines
    start = 0
    while not worker.said('"message":"delivered"'):
        await asyncio.gather(*(chat(*pair, start) for pair in pairs))
        start += MESSAGES
        assert start < 100 * MESSAGES, worker.lines

    half = asyncio.gather(*(chat(*pair, start) for pair in pairs))
    worker.process.send_signal(signal.SIGTERM)
    conversations = await half
    start += MESSAGES

    assert await asyncio.to_thread(worker.process.wait, 60) == 0, worker.lines[-20:]
    for (_, reader), conversation in zip(pairs, conversations, strict=True):
        received = await reader.received(conversation, start)
        assert [one["content"] for one in received] == [f"message {n}" for n in range(start)]
        assert [one["seq"] for one in received] == list(range(1, start + 1))
    for one in clients:
        await one.close()
