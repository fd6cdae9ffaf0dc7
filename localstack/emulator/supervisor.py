"""Children: started, watched, restarted, stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localstack.emulator.console import Console
from localstack.emulator.processes import die_with_parent

_MAX_BACK_OFF_SECONDS = 5.0
_STEADY_SECONDS = 10.0
_TAIL_LINES = 15
# For glibc, whose threads take an arena of up to 64 MB each, and which keeps more of what was freed
# the more was once needed: a quarter of the trigger's and the workers' memory after a load.
_LEAN = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "1000000"}


class StartError(Exception):
    """A child cannot be started; the text is for the user."""


@dataclass(slots=True, kw_only=True)
class Spec:
    """How to run a child.

    Attributes:
        title: What the user reads while it starts.
        port: It is ready when this port takes connections; None: when it prints its ready line.
        ready_seconds: How long it may take to be ready.
        stop_seconds: How long it may take to end before it is killed.
        on_restart: What must be done again when it had died, before others use it.
    """

    name: str
    title: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    ready_seconds: float = 60.0
    stop_seconds: float = 3.0
    on_restart: Callable[[], Awaitable[None]] | None = None
    show_output: bool = True


class Child:
    """One running child."""

    def __init__(self, spec: Spec, console: Console) -> None:
        self.spec = spec
        self.ready_line: dict[str, Any] = {}
        self._console = console
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._ready = asyncio.Event()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Starts it and waits until it is ready.

        Raises:
            StartError: It ended, or was not ready in time.
        """
        await self._spawn()
        await self._until_ready()
        self._tasks.append(asyncio.get_running_loop().create_task(self._watch()))

    async def stop(self) -> None:
        """Ends it, by force when it takes too long."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), self.spec.stop_seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            await self._process.wait()

    async def restart(self) -> None:
        """Replaces the process."""
        await self.stop()
        self._stopping = False
        await self.start()

    async def _spawn(self) -> None:
        self._ready.clear()
        self._process = await asyncio.create_subprocess_exec(
            *self.spec.command,
            env={**_LEAN, **os.environ, **self.spec.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 20,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        reader = asyncio.get_running_loop().create_task(self._read(self._process))
        self._tasks = [task for task in self._tasks if not task.done()] + [reader]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                continue
            if not line:
                return
            self._take(line.decode(errors="replace").rstrip())

    def _take(self, text: str) -> None:
        if text.startswith('{"event"'):
            with contextlib.suppress(ValueError):
                self.ready_line = json.loads(text)
                self._ready.set()
            return
        self._tail.append(text)
        if self.spec.show_output:
            self._console.child_line(self.spec.name, text)

    async def _until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self.spec.ready_seconds
        while time.monotonic() < deadline:
            if self._process.returncode is not None:
                await asyncio.sleep(0.1)  # its last words may still be in the pipe
                raise StartError(self._why(f"ended ({_ending(self._process.returncode)})"))
            if self.spec.port is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ready.wait(), 0.2)
                    return
            elif await _takes_connections(self.spec.port):
                return
            else:
                await asyncio.sleep(0.05)
        raise StartError(self._why(f"was not ready within {self.spec.ready_seconds:.0f} s"))

    def _why(self, what: str) -> str:
        last = " | ".join(line for line in self._tail if line.strip())[-600:]
        return f"{self.spec.title} {what}" + (f": {last}" if last else "")

    async def _watch(self) -> None:
        """Restarts the process whenever it ends, later and later while it does not stay."""
        failures = 0
        while True:
            assert self._process is not None
            started = time.monotonic()
            code = await self._process.wait()
            if self._stopping:
                return
            self._console.say(f"{self.spec.name} stopped ({_ending(code)}): restarting")
            failures = 0 if time.monotonic() - started > _STEADY_SECONDS else failures + 1
            await asyncio.sleep(min(_MAX_BACK_OFF_SECONDS, 0.1 * 2**failures))
            await self._start_again()

    async def _start_again(self) -> None:
        try:
            await self._spawn()
            await self._until_ready()
            if self.spec.on_restart is not None:
                await self.spec.on_restart()
            self._console.say(f"{self.spec.name} is back")
        except StartError as error:
            self._console.say(str(error))


async def run_once(title: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Runs a command to its end and returns what it printed.

    Raises:
        StartError: It failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        preexec_fn=die_with_parent(),
    )
    output, _ = await process.communicate()
    text = output.decode(errors="replace").strip()
    if process.returncode:
        raise StartError(f"{title} failed: {text[-800:]}")
    return text


async def _takes_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
