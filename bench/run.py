"""`make bench`: the whole system under load, on the full profile, with the goals beside.

python -m bench.run [--profile full|embedded] [--seconds 8] [--only pairs,frames] [--json FILE]
                    [--url URL --pid PID]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import uvloop

from bench.load import MESSAGE, Socket, connect, rest, text_frame, user

ROOT = Path(__file__).resolve().parents[1]
WARM_UP_SECONDS = 3.0
DRAIN_SECONDS = 20.0
_QUIET_CORES = 0.2
TEXT = "The quick brown fox jumps over the lazy dog, then has a nap."


@dataclass
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    goal: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class System:
    """The running system: its processes and where it answers."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.websocket_url = rest(url, "GET", "/v1/client-config")["websocket_url"]
        self._root = psutil.Process(pid)

    def processes(self) -> list[tuple[str, psutil.Process]]:
        """Every process with its name."""
        found = []
        for process in [self._root, *self._root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append((_name(process.cmdline()), process))
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far by name."""
        total: dict[str, float] = {}
        for name, process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total[name] = total.get(name, 0.0) + times.user + times.system
        return total

    def memory_mb(self) -> dict[str, float]:
        """Proportional set size by name, in MB."""
        total: dict[str, float] = {}
        for name, process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total[name] = total.get(name, 0.0) + process.memory_full_info().pss / 1e6
        return total


def _name(command: list[str]) -> str:
    text = " ".join(command)
    for part, name in (
        ("awslambdaric", ""),
        ("kafka.Kafka", "Apache Kafka"),
        ("ServerRunner", "DynamoDB Local"),
        ("ministack", "MiniStack"),
        ("kafka_embedded", "Kafka, embedded"),
        ("emulator.cloud", "gateways, runtime"),
        ("emulator.trigger", "trigger"),
        ("emulator up", "supervisor"),
    ):
        if part in text:
            return name or f"worker {command[-1].removesuffix('.handler')}"
    return "other"


@contextlib.contextmanager
def started(profile: str) -> Iterator[System]:
    """The system on free ports, with data of its own."""
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as data:
        command = ["make", "-s", "run", f"PROFILE={profile}", f"PORT={ports[0]}"]
        command += [f"WS_PORT={ports[1]}", f"DATA={data}", "LOG=quiet", "LOG_LEVEL=WARNING"]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert process.stdout is not None
        begun = time.monotonic()
        for line in process.stdout:
            if " is ready: " in line:
                break
        else:
            raise SystemExit("the system did not start")
        print(f"ready after {time.monotonic() - begun:.1f} s", flush=True)
        # Nothing waits for a full pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        try:
            yield System(f"http://127.0.0.1:{ports[0]}", process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


class Meter:
    """The CPU time that passes from here on, by process."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._before = system.cpu_seconds()
        self._own = time.process_time()

    def per_message(self, count: int) -> dict[str, float]:
        """Milliseconds for each of so many messages, the largest first."""
        after = self._system.cpu_seconds()
        spent = {name: after[name] - self._before.get(name, 0.0) for name in after}
        spent["load client"] = time.process_time() - self._own
        return _rounded({name: value * 1000 / count for name, value in spent.items()}, 3)


class Pair:
    """Two users of which the first writes to the second."""

    def __init__(self, sender: Socket, receiver: Socket, to: str, batch: int) -> None:
        self.received = 0
        self.sent = 0
        self.frames_open = 0
        self._sender, self._receiver = sender, receiver
        self._to = to
        self._batch = batch
        self._run = random.getrandbits(40)
        self._number = 0
        self._more: Callable[[], None] = lambda: None
        receiver.on_frame = self._take

    def start(self, more: Callable[[], None]) -> None:
        """Calls `more` whenever messages arrived."""
        self._more = more

    def send(self) -> None:
        """One frame with one message or a batch."""
        messages = []
        for _ in range(self._batch):
            self._number += 1
            messages.append(
                {"client_msg_id": f"{self._run}-{self._number}", "to": self._to, "content": TEXT}
            )
        body = {"messages": messages} if self._batch > 1 else messages[0]
        frame = json.dumps({"type": "send", **body}, separators=(",", ":"))
        self.sent += self._batch
        self._sender.send(text_frame(frame.encode()))

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


async def settled(done: Callable[[], bool]) -> None:
    """Waits until everything has arrived.

    Raises:
        SystemExit: Something was lost.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("messages were lost")
        await asyncio.sleep(0.05)


async def quiet(system: System) -> None:
    """Waits until the system has done what the phase before left it to do, or for a minute."""
    for _ in range(60):
        before = sum(system.cpu_seconds().values())
        await asyncio.sleep(1)
        if sum(system.cpu_seconds().values()) - before < _QUIET_CORES:
            return


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


class Crowd:
    """People in one conversation, of whom the first ten write frames of 25."""

    def __init__(self, sockets: Sequence[Socket], conversation_id: str) -> None:
        self.received = [0] * len(sockets)
        self.sent = 0
        self.running = True
        self._sockets = sockets
        self._conversation_id = conversation_id
        self._run = random.getrandbits(40)
        self._number = 0
        for at, one in enumerate(sockets):
            one.on_frame = lambda payload, at=at: self._take(at, payload)  # type: ignore[misc]

    def write(self, at: int) -> None:
        """One frame, unless it is over."""
        if not self.running:
            return
        messages = []
        for _ in range(25):
            self._number += 1
            messages.append(
                {
                    "client_msg_id": f"{self._run}-{self._number}",
                    "conversation_id": self._conversation_id,
                    "content": TEXT,
                }
            )
        self.sent += 25
        body = {"type": "send", "messages": messages}
        self._sockets[at].send(text_frame(json.dumps(body).encode()))

    def _take(self, at: int, payload: bytes) -> None:
        self.received[at] += payload.count(MESSAGE)
        if at < 10 and payload.startswith(b'{"type":"sent"'):
            self.write(at)
        elif at < 10 and payload.startswith(b'{"type":"error"'):  # Kafka is full: later
            self.sent -= 25
            asyncio.get_running_loop().call_later(1, self.write, at)


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


def _rounded(values: Mapping[str, float], digits: int) -> dict[str, float]:
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return {name: round(value, digits) for name, value in ordered if round(value, digits)}


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
    last = Figure("all processes", total, "MB (PSS)", goal, _rounded(memory, 0))
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
