"""Environments are processes of their own, however they are started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from localstack.emulator.spawner import Interpreters, Process, Spawner, Zygote

HANDLERS = """
import os, random, sys, time
print("colour", os.environ.get("COLOUR"), os.environ.get("HOME"), random.random(), flush=True)
print("folder", os.getcwd(), sys.argv[-1], time.tzname[0], flush=True)
if os.environ.get("WAITS"):
    time.sleep(60)
def handler(event, context):
    return event
"""

SPAWNERS = [Interpreters, lambda: Zygote(["json"])]


def play(make: Callable[[], Spawner], scenario: Callable[[Spawner], Awaitable[None]]) -> None:
    async def bounded() -> None:
        spawner = make()
        try:
            async with asyncio.timeout(30):
                await scenario(spawner)
        finally:
            await spawner.close()

    asyncio.run(bounded())


async def spawn(spawner: Spawner, folder: Path, **environment: str) -> Process:
    (folder / "handlers.py").write_text(HANDLERS)
    # Nobody listens there: an environment ends as soon as it has been loaded.
    variables = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "TZ": ":UTC", **environment}
    return await spawner.spawn("handlers.handler", folder, variables)


async def lines(process: Process, count: int) -> list[list[str]]:
    assert process.stdout is not None
    return [(await process.stdout.readline()).decode().split() for _ in range(count)]


async def ended(process: Process) -> int:
    """How it ended, when its output was read."""
    assert process.stdout is not None
    await process.stdout.read()
    return await process.wait()


@pytest.mark.parametrize("make", SPAWNERS)
def test_it_has_its_own_variables_folder_output_and_end(
    make: Callable[[], Spawner], tmp_path: Path
) -> None:
    async def scenario(spawner: Spawner) -> None:
        processes = [await spawn(spawner, tmp_path, COLOUR=name) for name in ("red", "blue")]
        said = [await lines(process, 2) for process in processes]

        assert [[one[0][1], one[0][2]] for one in said] == [["red", "None"], ["blue", "None"]]
        assert said[0][0][3] != said[1][0][3], "random numbers are not the same"
        assert said[0][1] == ["folder", str(tmp_path), "handlers.handler", "UTC"]
        assert [await ended(process) for process in processes] == [1, 1]
        assert processes[0].pid != processes[1].pid
        assert processes[0].returncode == 1

    play(make, scenario)


@pytest.mark.parametrize("make", SPAWNERS)
def test_it_is_found_by_its_command_line_and_killed(
    make: Callable[[], Spawner], tmp_path: Path
) -> None:
    async def scenario(spawner: Spawner) -> None:
        process = await spawn(spawner, tmp_path, WAITS="1")
        await lines(process, 2)

        assert psutil.Process(process.pid).cmdline()[-3:] == [
            "-m",
            "awslambdaric",
            "handlers.handler",
        ]
        process.kill()
        assert await ended(process) == -signal.SIGKILL

    play(make, scenario)


def test_when_the_zygote_dies_its_environments_do_and_the_next_one_is_started(
    tmp_path: Path,
) -> None:
    async def scenario(spawner: Spawner) -> None:
        first = await spawn(spawner, tmp_path, WAITS="1")
        await lines(first, 2)
        parent = psutil.Process(first.pid).ppid()
        os.kill(parent, signal.SIGKILL)

        assert await first.wait() == -signal.SIGKILL
        assert first.stdout is not None
        assert await first.stdout.read() == b"", "the pipe is closed: nothing holds it any more"
        second = await spawn(spawner, tmp_path, COLOUR="green")
        assert (await lines(second, 1))[0][1] == "green"
        assert await ended(second) == 1

    play(lambda: Zygote([]), scenario)
