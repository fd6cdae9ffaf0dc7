"""Lambda, with AWS's own runtime client in the workers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from localstack.emulator.runtime import Limits, Runtime, ThrottledError, UnknownFunctionError
from localstack.emulator.template import Function

HANDLERS = """
import os, sys, time
calls = 0
def echo(event, context):
    global calls
    calls += 1
    return {"event": event, "calls": calls, "pid": os.getpid(), "id": context.aws_request_id,
            "left": context.get_remaining_time_in_millis(), "colour": os.environ.get("COLOUR")}
def fail(event, context):
    raise ValueError("no good")
def slow(event, context):
    time.sleep(event["seconds"])
    return os.getpid()
def die(event, context):
    os._exit(3)
def say(event, context):
    print("hello from the function")
"""


def function(name: str, timeout: float = 10.0, reserved: int | None = None) -> Function:
    return Function(
        name=name,
        handler=f"handlers.{name}",
        code_uri=".",
        timeout_seconds=timeout,
        memory_mb=128,
        environment={"COLOUR": "blue"},
        reserved_concurrency=reserved,
    )


def play(
    folder: Path,
    scenario: Callable[[Runtime], Awaitable[None]],
    *functions: Function,
    limits: Limits | None = None,
    log: Callable[[Any], None] = lambda _record: None,
) -> None:
    (folder / "handlers.py").write_text(HANDLERS)

    async def bounded() -> None:
        runtime = Runtime(
            {one.name: one for one in functions},
            root=folder,
            environment={},
            limits=limits,
            log=log,
        )
        await runtime.start()
        try:
            async with asyncio.timeout(30):
                await scenario(runtime)
        finally:
            await runtime.stop()

    asyncio.run(bounded())


async def invoke(runtime: Runtime, name: str, event: Any = None) -> Any:
    result = await runtime.invoke(name, json.dumps(event).encode())
    assert result.error is None, result.payload
    return json.loads(result.payload)


@pytest.mark.req("SHAPE-2")
def test_an_environment_starts_cold_and_is_reused_warm(tmp_path: Path) -> None:
    records: list[Any] = []

    async def scenario(runtime: Runtime) -> None:
        first = await invoke(runtime, "echo", {"a": "ä"})
        second = await invoke(runtime, "echo")

        assert first["event"] == {"a": "ä"}
        assert (first["calls"], second["calls"]) == (1, 2)
        assert first["pid"] == second["pid"]
        assert first["id"] != second["id"]
        assert 0 < first["left"] <= 10_000
        assert first["colour"] == "blue"

    play(tmp_path, scenario, function("echo"), log=records.append)

    reports = [one for one in records if one["kind"] == "report"]
    assert [one["cold"] for one in reports] == [True, False]
    assert all(one["billed_ms"] >= one["duration_ms"] for one in reports)


def test_a_handler_that_raises_fails_and_the_environment_stays(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        result = await runtime.invoke("fail", b"{}")

        assert result.error == "Unhandled"
        error = json.loads(result.payload)
        assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no good")
        assert len(runtime.workers()["fail"]) == 1

    play(tmp_path, scenario, function("fail"))


def test_a_time_out_ends_the_environment_and_the_next_invocation_is_cold(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        result = await runtime.invoke("slow", b'{"seconds": 30}')

        assert result.error == "Timeout"
        assert b"Task timed out after 1.00 seconds" in result.payload
        again = await runtime.invoke("slow", b'{"seconds": 0}')
        assert (again.error, again.cold) == (None, True)

    play(tmp_path, scenario, function("slow", timeout=1.0))


def test_a_crash_is_an_error_and_the_function_goes_on(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        for _ in range(2):
            result = await runtime.invoke("die", b"{}")
            assert result.error == "Crash"
            assert b"exit status 3" in result.payload

    play(tmp_path, scenario, function("die"))


def test_an_idle_environment_that_was_killed_is_not_used_again(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        pid = (await invoke(runtime, "echo"))["pid"]
        os.kill(pid, signal.SIGKILL)
        while runtime.workers()["echo"]:
            await asyncio.sleep(0.01)

        assert (await invoke(runtime, "echo"))["pid"] != pid

    play(tmp_path, scenario, function("echo"))


def test_concurrent_invocations_get_environments_of_their_own_up_to_the_limit(
    tmp_path: Path,
) -> None:
    async def scenario(runtime: Runtime) -> None:
        calls = [invoke(runtime, "slow", {"seconds": 0.3}) for _ in range(6)]

        pids = await asyncio.gather(*calls)

        assert len(set(pids)) == 2

    play(tmp_path, scenario, function("slow"), limits=Limits(concurrency=2))


def test_beyond_the_reserved_concurrency_invocations_are_throttled(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        first = asyncio.create_task(invoke(runtime, "slow", {"seconds": 0.3}))
        await asyncio.sleep(0)

        with pytest.raises(ThrottledError):
            await runtime.invoke("slow", b'{"seconds": 0}')

        await first

    play(tmp_path, scenario, function("slow", reserved=1))


def test_an_import_error_reaches_the_caller(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        result = await runtime.invoke("nothing", b"{}")

        assert result.error == "Unhandled"
        assert b"nothing" in result.payload

    play(tmp_path, scenario, function("nothing"))


def test_what_a_function_prints_is_logged_with_its_name(tmp_path: Path) -> None:
    records: list[Any] = []

    async def scenario(runtime: Runtime) -> None:
        await invoke(runtime, "say")
        while not any("hello from the function" in str(one.get("message")) for one in records):
            await asyncio.sleep(0.01)

    play(tmp_path, scenario, function("say"), log=records.append)

    line = next(one for one in records if one["kind"] == "log")
    assert line["function"] == "say"


def test_an_environment_that_was_not_used_for_long_is_ended(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await invoke(runtime, "echo")
        while runtime.workers()["echo"]:
            await asyncio.sleep(0.02)

        assert (await invoke(runtime, "echo"))["calls"] == 1

    play(tmp_path, scenario, function("echo"), limits=Limits(idle_seconds=0.2))


def test_what_a_burst_needed_ends_soon_and_one_environment_stays_warm(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        calls = [invoke(runtime, "slow", {"seconds": 0.3}) for _ in range(2)]
        both = set(await asyncio.gather(*calls))
        assert set(runtime.workers()["slow"]) == both

        while len(runtime.workers()["slow"]) > 1:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # several looks later

        (left,) = runtime.workers()["slow"]
        assert left in both
        assert await invoke(runtime, "slow", {"seconds": 0}) == left

    play(tmp_path, scenario, function("slow"), limits=Limits(surplus_seconds=0.1))


def test_an_unknown_function_is_said(tmp_path: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        with pytest.raises(UnknownFunctionError):
            await runtime.invoke("nobody", b"{}")

    play(tmp_path, scenario, function("echo"))
