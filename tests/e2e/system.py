"""Starts the whole system for tests, as `make run` does, on free ports with data of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from localstack.emulator.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120.0
STOP_SECONDS = 30.0


@dataclass
class System:
    """A running system; one that somebody else started has no process here."""

    url: str
    websocket_url: str = ""
    profile: str = "embedded"
    process: subprocess.Popen[str] | None = None
    log: list[str] = field(default_factory=list)
    data: Path | None = None

    def environment(self) -> dict[str, str]:
        """What `$DATA/env` tells programs that want to join."""
        assert self.data is not None
        lines = (self.data / "env").read_text().splitlines()
        return dict(shlex.split(line)[0].split("=", 1) for line in lines if "=" in line)

    def processes(self, *words: str) -> list[psutil.Process]:
        """The system's processes with one of these words on their command line."""
        assert self.process is not None
        found = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(one.cmdline())
            except psutil.Error:
                continue
            if any(word in line for word in words):
                found.append(one)
        return found

    def stop(self) -> None:
        """Stops it, and asserts that it stops in time and leaves nothing behind."""
        assert self.process is not None
        family = psutil.Process(self.process.pid).children(recursive=True)
        os.killpg(self.process.pid, signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        _, left = psutil.wait_procs(family, timeout=10)
        assert left == []
        assert code in (0, -signal.SIGTERM), self.log[-20:]


def start(data: Path, profile: str, *options: str) -> System:
    """Runs `make run`, with further options of the local cloud, and waits for its last line."""
    port = free_port()
    # ARGS is said, because a make above this one hands its own down.
    record = os.environ.get("RECORD_CALLS")
    arguments = "--parameter WordFilter=example" + (f" --record {record}" if record else "")
    arguments = " ".join([arguments, *options])
    variables = {"ARGS": arguments, "PROFILE": profile, "PORT": port, "WS_PORT": free_port()}
    variables["DATA"] = data
    command = ["make", "-s", "run", *(f"{name}={value}" for name, value in variables.items())]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "ADMIN_PASSWORD": "admin of the tests"},
    )
    system = System(f"http://127.0.0.1:{port}", profile=profile, process=process, data=data)
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                system.log.append(line)
                if " is ready: " in line:
                    ready.set()

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + READY_SECONDS
    while not ready.wait(0.1):
        ended = process.poll() is not None
        assert not ended, "".join(system.log[-30:])
        assert time.monotonic() < deadline, "".join(system.log[-30:])
    return joined(system)


def joined(system: System) -> System:
    """Learns where the WebSocket API is."""
    with urllib.request.urlopen(system.url + "/v1/client-config", timeout=30) as answer:
        system.websocket_url = json.loads(answer.read())["websocket_url"]
    return system
