"""The system that is measured: its processes, what they cost, how it is started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil

from bench.load import rest
from localstack.emulator.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
_QUIET_CORES = 0.2
_READY_SECONDS = 120.0


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
def started(
    profile: str,
    *,
    log: str = "quiet",
    log_level: str = "WARNING",
    take: Callable[[str], object] = lambda _: None,
) -> Iterator[System]:
    """The system on free ports, with data of its own.

    Args:
        profile: ``full`` or ``embedded``.
        log: ``LOG`` of `make run`.
        log_level: Its ``LOG_LEVEL``.
        take: Is given every line that it prints, in another thread.

    Raises:
        SystemExit: It did not start.
    """
    ports = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data:
        command = ["make", "-s", "run", f"PROFILE={profile}", f"PORT={ports[0]}"]
        command += [f"WS_PORT={ports[1]}", f"DATA={data}", f"LOG={log}", f"LOG_LEVEL={log_level}"]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        ready, ended = threading.Event(), threading.Event()

        def read() -> None:  # to the end: nothing waits for a full pipe
            for line in process.stdout or ():
                take(line)
                if " is ready: " in line:
                    ready.set()
            ended.set()
            ready.set()

        reader = threading.Thread(target=read, daemon=True)
        begun = time.monotonic()
        reader.start()
        try:
            if not ready.wait(_READY_SECONDS) or ended.is_set():
                raise SystemExit("the system did not start")
            print(f"ready after {time.monotonic() - begun:.1f} s", flush=True)
            yield System(f"http://127.0.0.1:{ports[0]}", process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
            reader.join()


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
        return rounded({name: value * 1000 / count for name, value in spent.items()}, 3)


async def quiet(system: System) -> None:
    """Waits until the system has done what the phase before left it to do, or for a minute."""
    for _ in range(60):
        before = sum(system.cpu_seconds().values())
        await asyncio.sleep(1)
        if sum(system.cpu_seconds().values()) - before < _QUIET_CORES:
            return


def rounded(values: Mapping[str, float], digits: int) -> dict[str, float]:
    """The largest first; nothing of what is next to none."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return {name: round(value, digits) for name, value in ordered if round(value, digits)}
