"""Measures how often and how long functions run for a message, for bench/cost.py.

python -m bench.usage writes bench/usage.json from REPORT lines of the local cloud: two people
write to each other, one message in flight, and then in frames of 25.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import statistics
import time
from collections import defaultdict

import uvloop

from bench.load import rest, text_frame, user
from bench.people import Pair, pairs, settled
from bench.system import ROOT, System, started

FIGURES = ROOT / "bench" / "usage.json"
MESSAGES = 300
WARM_UP = 50
_REPORT = re.compile(r" (\w+)Function \S+ ms, billed (\d+) ms warm")


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
    # MiniStack, the embedded profile's DynamoDB, takes 170 ms for a Query: that is not AWS's time.
    with started("full", log="normal", log_level="INFO", take=lines.append) as system:
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
