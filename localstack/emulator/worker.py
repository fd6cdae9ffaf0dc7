"""One Lambda execution environment: AWS's own runtime client, talking to its own Runtime API.

API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from localstack.emulator.httpserver import Request, Response, serve
from localstack.emulator.invocation import Invocation, Pending, error_document
from localstack.emulator.spawner import Process, Spawner
from localstack.emulator.template import Function

_API = "/2018-06-01/runtime"
_EXECUTION_ENV = f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}"
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
_STOP_SECONDS = 2.0


class Worker:
    """A process that handles one invocation at a time."""

    def __init__(
        self,
        function: Function,
        *,
        root: Path,
        environment: Mapping[str, str],
        spawner: Spawner,
        on_idle: Callable[[Worker], None],
        on_exit: Callable[[Worker], None],
        on_done: Callable[[Worker, Pending, Invocation], None],
        on_output: Callable[[str, str, str], None],
    ) -> None:
        self.function = function
        self.current: Pending | None = None
        self.idle_since = 0.0
        self.ready = False
        self.init_ms = 0.0
        self.init_error: bytes | None = None
        self.gone = False
        self._first = True
        self._root = root
        self._environment = environment
        self._spawner = spawner
        self._on_idle, self._on_exit = on_idle, on_exit
        self._on_done, self._on_output = on_done, on_output
        self._next: asyncio.Future[Pending] | None = None
        self._server: asyncio.Server | None = None
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._spawned = time.perf_counter()

    async def start(self) -> None:
        """Starts the process."""
        self._server = await serve(self._handle, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        folder = self._root / self.function.code_uri
        environment = self._variables(port)
        self._process = await self._spawner.spawn(self.function.handler, folder, environment)
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        running = self._process is not None and self._process.returncode is None
        return running and not self.gone

    @property
    def exit_text(self) -> str:
        """How the process ended, in Lambda's words."""
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            return f"signal: {-code}"
        return f"exit status {code}"

    def give(self, pending: Pending) -> None:
        """Hands an invocation to the process, which waits for one."""
        self.current = pending
        pending.started = time.perf_counter()
        loop = asyncio.get_running_loop()
        pending.timer = loop.call_later(self.function.timeout_seconds, self._time_out, pending)
        assert self._next is not None
        self._next.set_result(pending)

    def kill(self) -> None:
        """Ends the process at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Ends the process, by force after two seconds."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self.kill()
        if self._watcher is not None:
            await asyncio.wait([self._watcher], timeout=_STOP_SECONDS)

    async def _handle(self, request: Request) -> Response:
        path = request.path
        if path == f"{_API}/invocation/next":
            return await self._hand_out()
        if path == f"{_API}/init/error":
            self.init_error = request.body
            return Response(202)
        if path.startswith(f"{_API}/invocation/"):
            request_id, _, what = path[len(_API) + 12 :].partition("/")
            return self._take(request_id, what, request.body)
        return Response(404)

    async def _hand_out(self) -> Response:
        if not self.ready:
            self.ready = True
            self.init_ms = (time.perf_counter() - self._spawned) * 1000
        self._next = asyncio.get_running_loop().create_future()
        self.idle_since = time.monotonic()
        self._on_idle(self)
        try:
            pending = await self._next
        except asyncio.CancelledError:  # the process closed the connection: it is dying
            self.gone = True
            raise
        deadline = int((time.time() + self.function.timeout_seconds) * 1000)
        now = format(int(time.time()), "08x")
        return Response(
            200,
            pending.payload,
            (
                ("content-type", "application/json"),
                ("lambda-runtime-aws-request-id", pending.request_id),
                ("lambda-runtime-deadline-ms", str(deadline)),
                ("lambda-runtime-invoked-function-arn", self._arn),
                (
                    "lambda-runtime-trace-id",
                    f"Root=1-{now}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0",
                ),
            ),
        )

    def _take(self, request_id: str, what: str, body: bytes) -> Response:
        pending = self.current
        if pending is None or pending.request_id != request_id:
            return Response(400, b'{"errorType": "InvalidRequestID"}')
        self._finish(pending, body, None if what == "response" else "Unhandled")
        return Response(202)

    def _finish(self, pending: Pending, payload: bytes, error: str | None) -> None:
        self.current = None
        if pending.timer is not None:
            pending.timer.cancel()
        duration_ms = (time.perf_counter() - pending.started) * 1000
        result = Invocation(payload, error, int(duration_ms) + 1, self._first)
        self._first = False
        self._on_done(self, pending, result)
        if not pending.future.done():
            pending.future.set_result(result)

    def _time_out(self, pending: Pending) -> None:
        if self.current is pending:
            text = f"Task timed out after {self.function.timeout_seconds:.2f} seconds"
            self._finish(pending, error_document("Sandbox.Timedout", text), "Timeout")
            self.kill()

    async def _watch(self) -> None:
        """Passes the process's output on, and notices its end."""
        assert self._process is not None
        assert self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:  # a line beyond the limit
                continue
            if not line:
                break
            request_id = self.current.request_id if self.current else ""
            text = line.decode(errors="replace").rstrip("\n")
            self._on_output(self.function.name, request_id, text)
        await self._process.wait()
        if self._server is not None:
            self._server.close()
        if self.current is not None:
            text = (
                f"RequestId: {self.current.request_id} Error: Runtime exited with error: "
                f"{self.exit_text}"
            )
            self._finish(self.current, error_document("Runtime.ExitError", text), "Crash")
        self._on_exit(self)

    @property
    def _arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function.name}"

    def _variables(self, port: int) -> dict[str, str]:
        memory = str(self.function.memory_mb)
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            **self._environment,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_EXECUTION_ENV": _EXECUTION_ENV,
            "LAMBDA_TASK_ROOT": str(self._root / self.function.code_uri),
            "_HANDLER": self.function.handler,
            "TZ": ":UTC",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",
            **self.function.environment,
        }
