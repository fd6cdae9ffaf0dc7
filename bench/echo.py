"""What this machine takes for a function that does nothing: `python -m bench.echo`.

The goals of the speeds were set on a machine of which the same is known: invocations a second with
one `awslambdaric` worker and with two, and the processor time of each. Run it before and after
`make bench` to say what a figure is worth: two virtual cores that are both busy may each be slower
than one alone, and slower in one hour than in another.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

import psutil
import uvloop

from localstack.emulator.declarations import Function
from localstack.emulator.runtime import Limits, Runtime

INVOCATIONS = 6_000
WARM_UP = 600
# By workers: invocations a second there; and µs of processor time of a worker and of the server.
REFERENCE_RATES = {1: (1_740, 3_850), 2: (4_000, 6_900)}
REFERENCE_WORKER_US = (160, 210)
REFERENCE_SERVER_US = (100, 215)
_EVENT = json.dumps({"requestContext": {"connectionId": "Jx="}, "body": "x" * 500}).encode()


async def measure(folder: Path, workers: int) -> tuple[float, float, float]:
    """Invocations a second, and µs of a worker and of the server for each."""
    (folder / "echo.py").write_text("def handler(event, context):\n    return event\n")
    function = Function(
        name="echo",
        handler="echo.handler",
        code_uri=".",
        timeout_seconds=10,
        memory_mb=128,
        environment={},
        reserved_concurrency=None,
    )
    limits = Limits(concurrency=workers)
    runtime = Runtime({"echo": function}, root=folder, environment={}, limits=limits)

    async def call(times: int) -> None:
        for _ in range(times):
            assert (await runtime.invoke("echo", _EVENT)).payload == _EVENT

    async def call_all(times: int) -> None:
        await asyncio.gather(*(call(times // workers) for _ in range(workers)))

    await runtime.start()
    try:
        await call_all(WARM_UP)
        processes = [psutil.Process(pid) for pid in runtime.workers()["echo"]]
        before, own, begun = _cpu(processes), time.process_time(), time.perf_counter()
        await call_all(INVOCATIONS)
        elapsed = time.perf_counter() - begun
        spent = _cpu(processes) - before, time.process_time() - own
    finally:
        await runtime.stop()
    return INVOCATIONS / elapsed, *(one / INVOCATIONS * 1e6 for one in spent)


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (one.cpu_times() for one in processes))


def main() -> None:
    """Measures."""
    for workers, rates in REFERENCE_RATES.items():
        with tempfile.TemporaryDirectory() as folder:
            rate, worker, server = uvloop.run(measure(Path(folder), workers))
        print(f"echo, {workers} at once  {rate:6.0f} invocations/s, there {rates[0]}-{rates[1]}")
        for name, value, known in (
            ("worker", worker, REFERENCE_WORKER_US),
            ("server", server, REFERENCE_SERVER_US),
        ):
            print(f"  {name} {value:14.0f} µs of processor time, there {known[0]}-{known[1]}")


if __name__ == "__main__":
    main()
