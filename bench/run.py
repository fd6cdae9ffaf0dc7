"""`make bench`: the whole system under load, on the full profile, with the goals beside.

python -m bench.run [--profile full|embedded] [--seconds 8] [--only pairs,frames] [--json FILE]
                    [--url URL --pid PID]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.load import connect, rest, user
from bench.people import Crowd, Pair, pairs, settled
from bench.system import Meter, System, quiet, rounded, started

WARM_UP_SECONDS = 3.0


@dataclass
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    goal: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


async def latency(
    system: System,
    people: list[dict[str, Any]],
    seconds: float,
    *,
    count: int = 10,
    pause: float = 0.0,
) -> list[Figure]:
    """Pairs with one message in flight, who may pause before the next."""
    group = await pairs(system, people, count, 1)
    times: list[float] = []

    async def talk(pair: Pair, until: float, keep: bool) -> None:
        while time.monotonic() < until:
            arrived = asyncio.Event()
            pair.start(arrived.set)
            begun = time.perf_counter()
            pair.send()
            await asyncio.wait_for(arrived.wait(), 30)
            if keep:
                times.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(pause)

    for span, keep in ((WARM_UP_SECONDS, False), (seconds, True)):
        meter = Meter(system)
        until = time.monotonic() + span
        await asyncio.gather(*(talk(pair, until, keep) for pair in group))
    _close(group)
    times.sort()
    detail = {
        "p90_ms": round(times[len(times) * 9 // 10], 1),
        "p99_ms": round(times[len(times) * 99 // 100], 1),
        "messages_per_second": round(len(times) / seconds),
        "cpu_ms_per_message": meter.per_message(len(times)),
    }
    p50 = statistics.median(times)
    name = "a pair that pauses, p50" if pause else f"{count} pairs, one in flight, p50"
    return [Figure(name, p50, "ms", "<= 15", detail)]


async def throughput(
    system: System, people: list[dict[str, Any]], seconds: float, batch: int
) -> list[Figure]:
    """50 pairs with 20 messages in flight, or two frames of 25."""
    group = await pairs(system, people, 50, batch)
    window = 20 if batch == 1 else 2 * batch
    running = True

    def refill(pair: Pair) -> None:
        while running and pair.sent - pair.received <= window - batch:
            pair.send()

    for pair in group:
        pair.start(lambda pair=pair: refill(pair))  # type: ignore[misc]
        refill(pair)
    await asyncio.sleep(WARM_UP_SECONDS)
    meter, count = Meter(system), sum(pair.received for pair in group)
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    count = sum(pair.received for pair in group) - count
    elapsed = time.monotonic() - begun
    detail = {"cpu_ms_per_message": meter.per_message(count)}
    running = False
    await settled(lambda: all(pair.received >= pair.sent for pair in group))
    _close(group)
    name = "50 pairs, 20 in flight" if batch == 1 else f"50 pairs, frames of {batch}"
    goal = ">= 1500" if batch == 1 else ">= 6000"
    return [Figure(name, count / elapsed, "messages/s", goal, detail)]


async def world(system: System, people: list[dict[str, Any]], seconds: float) -> list[Figure]:
    """100 people in the world room."""
    rate = await deliveries(system, people[:100], seconds, "world")
    return [Figure("100 people in the world room", rate, "deliveries/s", ">= 50000")]


async def group(system: System, people: list[dict[str, Any]], seconds: float) -> list[Figure]:
    """A group of 100, all of them online; the goal is what a prototype without members had."""
    owner, *others = people[:100]
    body = {"name": "bench", "member_ids": [one["id"] for one in others]}
    room = rest(system.url, "POST", "/v1/groups", body, owner["token"])["id"]
    rate = await deliveries(system, people[:100], seconds, room)
    return [Figure("a group of 100", rate, "deliveries/s", ">= 78000")]


async def deliveries(
    system: System, people: list[dict[str, Any]], seconds: float, conversation_id: str
) -> float:
    """Messages a second that arrive."""
    sockets = [await connect(system.websocket_url, one["token"]) for one in people]
    crowd = Crowd(sockets, conversation_id)
    await asyncio.sleep(0.5)
    base = list(crowd.received)
    for at in range(10):
        crowd.write(at)
    await asyncio.sleep(WARM_UP_SECONDS)
    before, begun = sum(crowd.received), time.monotonic()
    await asyncio.sleep(seconds)
    rate = (sum(crowd.received) - before) / (time.monotonic() - begun)
    crowd.running = False
    await settled(
        lambda: all(r - b >= crowd.sent for r, b in zip(crowd.received, base, strict=True))
    )
    for one in sockets:
        one.close()
    return rate


async def idle(system: System, people: list[dict[str, Any]], count: int) -> list[Figure]:
    """Memory of the gateway for each idle connection."""
    before = system.memory_mb()["gateways, runtime"]
    sockets = []
    for at in range(count):
        token = people[at % len(people)]["token"]
        sockets.append(await connect(system.websocket_url, token))
    await asyncio.sleep(1)
    grown = system.memory_mb()["gateways, runtime"] - before
    for one in sockets:
        one.close()
    return [Figure("an idle connection", grown * 1000 / count, "KB", "<= 30")]


def _close(group: list[Pair]) -> None:
    for pair in group:
        pair._sender.close()
        pair._receiver.close()


async def measure(system: System, seconds: float, profile: str, only: str) -> list[Figure]:
    """Every phase, one after the other, or those named in `only`."""
    stamp = f"{time.time_ns() % 10**10}"
    people = [user(system.url, f"u{stamp}-{at}") for at in range(100)]
    figures: list[Figure] = []
    phases: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
        # The idle connections first: later the gateway's heap has room for them.
        "idle": lambda: idle(system, people, 1500),
        "pause": lambda: latency(system, people, seconds, count=1, pause=0.3),
        "pairs": lambda: latency(system, people, seconds),
        "frames": lambda: throughput(system, people, seconds, 1),
        "batches": lambda: throughput(system, people, seconds, 25),
        "world": lambda: world(system, people, seconds),
        "group": lambda: group(system, people, seconds),
    }
    for name in only.split(",") if only else phases:
        await quiet(system)
        found = await phases[name]()
        print_figures(found)
        figures += found
    memory = system.memory_mb()
    goal = "<= 900" if profile == "full" else "<= 400"
    total = sum(memory.values())
    last = Figure("all processes", total, "MB (PSS)", goal, rounded(memory, 0))
    print_figures([last])
    return [*figures, last]


def print_figures(figures: list[Figure]) -> None:
    """The table's lines."""
    for one in figures:
        print(f"{one.name:32} {one.value:10.1f} {one.unit:14} goal {one.goal}", flush=True)
        for name, value in one.detail.items():
            print(f"    {name}: {value}", flush=True)


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--profile", choices=("full", "embedded"), default="full")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="", help="phases: idle,pause,pairs,frames,batches,…")
    parser.add_argument("--url", default="")
    parser.add_argument("--pid", type=int, default=0, help="of the supervisor, with --url")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        system = (
            System(options.url, options.pid)
            if options.url
            else stack.enter_context(started(options.profile))
        )
        figures = uvloop.run(measure(system, options.seconds, options.profile, options.only))
    if options.json:
        options.json.write_text(json.dumps([vars(one) for one in figures], indent=1))


if __name__ == "__main__":
    sys.exit(main())
