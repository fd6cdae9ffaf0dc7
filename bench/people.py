"""Who writes to whom while the system is measured."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.load import MESSAGE, Socket, connect, text_frame
from bench.system import System

_DRAIN_SECONDS = 20.0
_CROWD_BATCH = 25
_TEXT = "The quick brown fox jumps over the lazy dog, then has a nap."


class Frames:
    """Frames of new messages to one place."""

    def __init__(self, place: Mapping[str, str], batch: int) -> None:
        self._place = place
        self._batch = batch
        self._run = random.getrandbits(40)
        self._number = 0

    def next(self) -> bytes:
        """One frame with one message or a batch."""
        messages = []
        for _ in range(self._batch):
            self._number += 1
            name = f"{self._run}-{self._number}"
            messages.append({"client_msg_id": name, **self._place, "content": _TEXT})
        body = {"messages": messages} if self._batch > 1 else messages[0]
        return text_frame(json.dumps({"type": "send", **body}, separators=(",", ":")).encode())


class Pair:
    """Two users of which the first writes to the second."""

    def __init__(self, sender: Socket, receiver: Socket, to: str, batch: int) -> None:
        self.received = 0
        self.sent = 0
        self._sender, self._receiver = sender, receiver
        self._batch = batch
        self._frames = Frames({"to": to}, batch)
        self._more: Callable[[], None] = lambda: None
        receiver.on_frame = self._take

    def start(self, more: Callable[[], None]) -> None:
        """Calls `more` whenever messages arrived."""
        self._more = more

    def send(self) -> None:
        """One frame with one message or a batch."""
        self.sent += self._batch
        self._sender.send(self._frames.next())

    def _take(self, payload: bytes) -> None:
        self.received += payload.count(MESSAGE)
        self._more()


async def pairs(system: System, people: list[dict[str, Any]], count: int, batch: int) -> list[Pair]:
    """Connected pairs."""
    sockets = [await connect(system.websocket_url, one["token"]) for one in people[: 2 * count]]
    return [
        Pair(sockets[at], sockets[at + 1], people[at + 1]["id"], batch)
        for at in range(0, 2 * count, 2)
    ]


class Crowd:
    """People in one conversation, of whom the first ten write frames of 25."""

    def __init__(self, sockets: Sequence[Socket], conversation_id: str) -> None:
        self.received = [0] * len(sockets)
        self.sent = 0
        self.running = True
        self._sockets = sockets
        self._frames = Frames({"conversation_id": conversation_id}, _CROWD_BATCH)
        for at, one in enumerate(sockets):
            one.on_frame = lambda payload, at=at: self._take(at, payload)  # type: ignore[misc]

    def write(self, at: int) -> None:
        """One frame, unless it is over."""
        if not self.running:
            return
        self.sent += _CROWD_BATCH
        self._sockets[at].send(self._frames.next())

    def _take(self, at: int, payload: bytes) -> None:
        self.received[at] += payload.count(MESSAGE)
        if at < 10 and payload.startswith(b'{"type":"sent"'):
            self.write(at)
        elif at < 10 and payload.startswith(b'{"type":"error"'):  # Kafka is full: later
            self.sent -= _CROWD_BATCH
            asyncio.get_running_loop().call_later(1, self.write, at)


async def settled(done: Callable[[], bool]) -> None:
    """Waits until everything has arrived.

    Raises:
        SystemExit: Something was lost.
    """
    deadline = time.monotonic() + _DRAIN_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("messages were lost")
        await asyncio.sleep(0.05)
