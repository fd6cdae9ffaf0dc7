"""Lambda: environments are started on demand, reused, limited, and replaced when they die."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localstack.emulator.invocation import Invocation, Pending, error_document
from localstack.emulator.spawner import Spawner, new_spawner
from localstack.emulator.template import Function
from localstack.emulator.worker import Worker

__all__ = ["Invocation", "Limits", "Log", "Runtime", "ThrottledError", "UnknownFunctionError"]

Log = Callable[[Mapping[str, Any]], None]
_MAX_BACK_OFF_SECONDS = 5.0


class ThrottledError(Exception):
    """The function's reserved concurrency is used up."""


class UnknownFunctionError(Exception):
    """There is no such function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a laptop affords; AWS's own limits come from the template.

    Attributes:
        concurrency: Environments of one function; more invocations wait their turn.
        overrides: The same, for some functions.
        idle_seconds: An environment that was not used so long is ended.
        surplus_seconds: The same, for one beside which another of its function is idle: what a
            burst needed is given back soon, and the next call is still a warm one.
    """

    concurrency: int = 2
    overrides: Mapping[str, int] = field(default_factory=dict)
    idle_seconds: float = 120.0
    surplus_seconds: float = 20.0


class Runtime:
    """Invokes functions."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        root: Path,
        environment: Mapping[str, str],
        limits: Limits | None = None,
        log: Log = lambda _record: None,
        preload: Sequence[str] = (),
        on_event: Callable[[str, bytes], None] | None = None,
    ) -> None:
        limits = limits or Limits()
        self._spawner = new_spawner(preload)
        self._pools = {
            name: _Pool(function, root, environment, limits, log, self._spawner)
            for name, function in functions.items()
        }
        self._limits = limits
        self._on_event = on_event
        self._reaper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to end idle environments."""
        self._reaper = asyncio.get_running_loop().create_task(self._reap())

    async def stop(self) -> None:
        """Ends every environment."""
        if self._reaper is not None:
            self._reaper.cancel()
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        await self._spawner.close()

    async def invoke(self, function: str, payload: bytes) -> Invocation:
        """Invokes a function and waits for its answer.

        Raises:
            UnknownFunctionError: There is no such function.
            ThrottledError: Its reserved concurrency is used up.
        """
        pool = self._pools.get(function)
        if pool is None:
            raise UnknownFunctionError(function)
        if self._on_event is not None:
            self._on_event(function, payload)
        return await pool.invoke(payload)

    def workers(self) -> dict[str, list[int]]:
        """The process ids of every function's environments."""
        return {name: [one.pid for one in pool.workers] for name, pool in self._pools.items()}

    async def _reap(self) -> None:
        idle, surplus = self._limits.idle_seconds, self._limits.surplus_seconds
        while True:
            await asyncio.sleep(min(idle, surplus) / 2)
            now = time.monotonic()
            for pool in self._pools.values():
                pool.reap(now - idle, now - surplus)


class _Pool:
    """The environments of one function."""

    def __init__(
        self,
        function: Function,
        root: Path,
        environment: Mapping[str, str],
        limits: Limits,
        log: Log,
        spawner: Spawner,
    ) -> None:
        self._spawner = spawner
        self.workers: list[Worker] = []
        self._function = function
        self._root = root
        self._environment = environment
        self._most = limits.overrides.get(function.name, limits.concurrency)
        self._log = log
        self._idle: list[Worker] = []
        self._queue: deque[Pending] = deque()
        self._in_flight = 0
        self._failures = 0
        self._starting: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def invoke(self, payload: bytes) -> Invocation:
        reserved = self._function.reserved_concurrency
        if reserved is not None and self._in_flight >= reserved:
            raise ThrottledError(self._function.name)
        pending = Pending(payload, asyncio.get_running_loop().create_future())
        self._in_flight += 1
        try:
            self._queue.append(pending)
            self._assign()
            return await pending.future
        finally:
            self._in_flight -= 1

    def reap(self, idle_before: float, surplus_before: float) -> None:
        for worker in list(self._idle):
            last = worker is self._idle[-1]  # the one that is called next
            if worker.idle_since < (idle_before if last else surplus_before):
                self._idle.remove(worker)
                worker.kill()

    async def stop(self) -> None:
        self._stopped = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*(worker.stop() for worker in list(self.workers)))

    def _assign(self) -> None:
        while self._queue and self._idle:
            worker = self._idle.pop()  # the one used last is the warmest
            if worker.alive:
                worker.give(self._queue.popleft())
        # One that starts, or has just answered, asks for an invocation soon: it counts as free.
        soon = sum(one.current is None and one not in self._idle for one in self.workers)
        room = self._most - len(self.workers)
        for _ in range(min(len(self._queue) - soon, room)):
            self._spawn()

    def _spawn(self) -> None:
        worker = Worker(
            self._function,
            root=self._root,
            environment=self._environment,
            spawner=self._spawner,
            on_idle=self._on_idle,
            on_exit=self._on_exit,
            on_done=self._on_done,
            on_output=self._on_output,
        )
        self.workers.append(worker)
        task = asyncio.get_running_loop().create_task(self._start(worker))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start(self, worker: Worker) -> None:
        if self._failures:
            await asyncio.sleep(min(_MAX_BACK_OFF_SECONDS, 0.1 * 2**self._failures))
        await worker.start()

    def _on_idle(self, worker: Worker) -> None:
        self._failures = 0
        self._idle.append(worker)
        self._assign()

    def _on_exit(self, worker: Worker) -> None:
        self.workers.remove(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if self._stopped:
            return
        if not worker.ready:
            self._fail_init(worker)
        self._assign()

    def _fail_init(self, worker: Worker) -> None:
        """It never became ready: whoever waits learns why, and the next start comes later."""
        self._failures += 1
        payload = worker.init_error or error_document(
            "Runtime.ExitError", f"Error: Runtime exited with error: {worker.exit_text}"
        )
        while self._queue:
            pending = self._queue.popleft()
            if not pending.future.done():
                pending.future.set_result(Invocation(payload, "Unhandled", 0, True))

    def _on_done(self, worker: Worker, pending: Pending, result: Invocation) -> None:
        self._log(
            {
                "kind": "report",
                "function": self._function.name,
                "request_id": pending.request_id,
                "duration_ms": round((time.perf_counter() - pending.started) * 1000, 2),
                "billed_ms": result.billed_ms,
                "memory_mb": self._function.memory_mb,
                "cold": result.cold,
                "init_ms": round(worker.init_ms) if result.cold else None,
                "error": result.error,
            }
        )

    def _on_output(self, function: str, request_id: str, text: str) -> None:
        self._log({"kind": "log", "function": function, "request_id": request_id, "message": text})
