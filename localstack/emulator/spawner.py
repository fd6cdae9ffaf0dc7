"""Processes for Lambda environments: forked from a warm interpreter, or each one anew."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from localstack.emulator import zygote
from localstack.emulator.processes import die_with_parent

_LINE_BYTES = 1 << 20


class Process(Protocol):
    """A running environment."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    def kill(self) -> None: ...
    def terminate(self) -> None: ...
    async def wait(self) -> int: ...


class Spawner(Protocol):
    """Starts environments."""

    async def spawn(self, handler: str, cwd: Path, environment: Mapping[str, str]) -> Process:
        """Runs ``python -m awslambdaric <handler>``, its output in a pipe."""

    async def close(self) -> None:
        """Starts no more."""


def new_spawner(preload: Sequence[str] = ()) -> Spawner:
    """The one for this system.

    Args:
        preload: Modules that most handlers import; they are imported once, without a function's
            environment variables.
    """
    return Zygote(preload) if sys.platform == "linux" else Interpreters()


class Interpreters:
    """A new interpreter for each environment."""

    async def spawn(self, handler: str, cwd: Path, environment: Mapping[str, str]) -> Process:
        """Runs it."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "awslambdaric", handler),
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_BYTES,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )

    async def close(self) -> None:
        """There is nothing to end."""


class Forked:
    """A process that is a child of the zygote."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.stdout: asyncio.StreamReader | None = None
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    def kill(self) -> None:
        """Ends it at once."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks it to end."""
        self._signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Waits for its end."""
        return await asyncio.shield(self._ended)

    def end(self, code: int) -> None:
        """It has ended."""
        if not self._ended.done():
            self._ended.set_result(code)

    def _signal(self, number: int) -> None:
        if not self._ended.done():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


class Zygote:
    """Has environments forked by a process of its own; a new one if that died."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = preload
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._starting = asyncio.Lock()
        self._asked: deque[asyncio.Future[Forked]] = deque()
        self._children: dict[int, Forked] = {}

    async def spawn(self, handler: str, cwd: Path, environment: Mapping[str, str]) -> Process:
        """Forks it."""
        loop = asyncio.get_running_loop()
        async with self._starting:
            if self._control is None:
                await self._start()
        assert self._control is not None
        reading, writing = os.pipe()
        request = {"handler": handler, "cwd": str(cwd), "environment": dict(environment)}
        answer: asyncio.Future[Forked] = loop.create_future()
        self._asked.append(answer)
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], [writing])
        finally:
            os.close(writing)
        reader = asyncio.StreamReader(_LINE_BYTES)
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
        )
        process = await answer
        process.stdout = reader
        return process

    async def close(self) -> None:
        """Ends the zygote, and with it what it forked."""
        process = self._process
        self._lost()
        if process is not None:
            await process.wait()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-u", "-m", "localstack.emulator.zygote"),
                *(str(theirs.fileno()), zygote.PADDING, *self._preload),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                preexec_fn=die_with_parent(),
            )
        ours.setblocking(False)
        self._control = ours
        asyncio.get_running_loop().add_reader(ours, self._receive)

    def _receive(self) -> None:
        assert self._control is not None
        packet = self._control.recv(zygote.PACKET_BYTES)
        if not packet:
            self._lost()
            return
        message = json.loads(packet)
        if "code" in message:
            if child := self._children.pop(message["pid"], None):
                child.end(message["code"])
            return
        child = self._children[message["pid"]] = Forked(message["pid"])
        answer = self._asked.popleft()
        if answer.done():  # nobody waits any more
            child.kill()
        else:
            answer.set_result(child)

    def _lost(self) -> None:
        """The zygote is gone, and the kernel has killed what it forked."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        for child in self._children.values():
            child.end(-signal.SIGKILL)
        self._children.clear()
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(ConnectionError("the zygote died"))
