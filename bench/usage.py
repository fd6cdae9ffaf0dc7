"""Measures how often and how long functions run for a message, for bench/cost.py.

python -m bench.usage writes bench/usage.json from REPORT lines of the local cloud: two people
write to each other, one message in flight, and then in frames of 25.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench.load import rest, text_frame, user
from bench.people import Pair, pairs, settled
from bench.system import System

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "bench" / "usage.json"
MESSAGES = 300
WARM_UP = 50
_REPORT = re.compile(r" (\w+)Function \S+ ms, billed (\d+) ms warm")


@contextmanager
def started(lines: list[str]) -> Iterator[System]:
    """The full profile, whose output goes into `lines`.

    MiniStack, the embedded profile's DynamoDB, takes 170 ms for a Query; that would be measured.
    """
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as data:
        command = ["make", "-s", "run", "PROFILE=full", f"PORT={ports[0]}"]
        command += [f"WS_PORT={ports[1]}", f"DATA={data}"]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True)
        reader.start()
        try:
            deadline = time.monotonic() + 120
            while not any(" is ready: " in line for line in list(lines)):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the system did not start")
                time.sleep(0.1)
            yield System(f"http://127.0.0.1:{ports[0]}", process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            reader.join()


async def talk(system: System, batch: int, messages: int) -> None:
    """One pair: a frame, and when it has arrived an ack, and so on."""
    people = [user(system.url, f"u{time.time_ns() % 10**10}-{at}") for at in range(2)]
    (pair,) = await pairs(system, people, 1, batch)
    conversation = rest(
        system.url, "POST", "/v1/conversations", {"user_id": people[1]["id"]}, people[0]["token"]
    )["id"]
    received = 0

    def take(payload: bytes) -> None:  # what is acknowledged has a "seq", too
        nonlocal received
        received += payload.count(b'"sender_id":')

    pair._receiver.on_frame = take
    while pair.sent < messages:
        pair.send()
        await settled(lambda: received >= pair.sent)
        _ack(pair, conversation, pair.sent)
    await asyncio.sleep(1)  # the last ack's receipt


def _ack(pair: Pair, conversation: str, seq: int) -> None:
    frame = {"type": "ack", "conversation_id": conversation, "seq": seq, "status": "read"}
    pair._receiver.send(text_frame(json.dumps(frame).encode()))


def summary(lines: list[str], messages: int) -> dict[str, dict[str, float]]:
    """Invocations a message and the median of their billed milliseconds, by function."""
    billed: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        if found := _REPORT.search(line):
            billed[found[1].lower()].append(int(found[2]))
    return {
        name: {
            "invocations": round(len(times) / messages, 3),
            "billed_ms": statistics.median(times),
        }
        for name, times in sorted(billed.items())
    }


def main() -> None:
    """Measures."""
    lines: list[str] = []
    found = {}
    with started(lines) as system:
        for name, batch in (("single", 1), ("batched", 25)):
            uvloop.run(talk(system, batch, WARM_UP))
            begin = len(lines)
            uvloop.run(talk(system, batch, MESSAGES))
            found[name] = summary(lines[begin:], MESSAGES)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    FIGURES.write_text(json.dumps({"date": today, "functions": found}, indent=1) + "\n")
    print(FIGURES.read_text())


if __name__ == "__main__":
    main()
