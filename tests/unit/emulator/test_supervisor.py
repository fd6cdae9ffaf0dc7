from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from localstack.emulator.console import Console
from localstack.emulator.ports import free_port, is_free
from localstack.emulator.supervisor import Child, Spec, StartError, run_once
from tests.unit.emulator.local import until

run = asyncio.run  # the supervisor has only its children to wait for: no uvloop
READY = 'echo \'{"event": "ready", "place": "here"}\'; '
FOREVER = "while :; do sleep 0.05; done"


class Started:
    """A child of a shell script, and what the console showed."""

    def __init__(self, script: str, **options: Any) -> None:
        self.out = io.StringIO()
        command = options.pop("command", ["sh", "-c", script])
        spec = Spec(name="child", title="the child", command=command, **options)
        self.child = Child(spec, Console(out=self.out))

    def said(self, text: str) -> bool:
        return text in self.out.getvalue()


@asynccontextmanager
async def running(script: str, **options: Any) -> AsyncIterator[Started]:
    started = Started(script, **options)
    await started.child.start()
    try:
        yield started
    finally:
        await started.child.stop()


async def why_not(script: str, **options: Any) -> str:
    started = Started(script, **options)
    try:
        with pytest.raises(StartError) as failure:
            await started.child.start()
    finally:
        await started.child.stop()
    return str(failure.value)


async def test_a_child_is_ready_when_it_says_so() -> None:
    async with running(READY + FOREVER) as started:
        assert started.child.ready_line == {"event": "ready", "place": "here"}
        assert not started.said("ready")


async def test_a_child_is_ready_when_its_port_takes_connections() -> None:
    port = free_port()
    server = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]

    async with running("", command=server, port=port):
        assert not is_free(port)


async def test_what_a_child_prints_is_shown_or_not() -> None:
    script = "echo hello; " + READY + FOREVER

    async with running(script) as shown, running(script, show_output=False) as hidden:
        await until(lambda: shown.said("child  hello"))
        assert hidden.out.getvalue() == ""


async def test_a_child_has_its_own_variables_and_ours() -> None:
    script = 'echo "$COLOUR in $HOME"; ' + READY + FOREVER

    async with running(script, environment={"COLOUR": "green"}) as started:
        await until(lambda: started.said(f"green in {os.environ['HOME']}"))


async def test_a_child_that_ends_at_once_is_told_with_its_last_words() -> None:
    assert await why_not("echo no such topic; exit 3") == (
        "the child ended (exit code 3): no such topic"
    )


async def test_a_child_that_is_killed_while_it_starts_is_told_with_the_signal() -> None:
    assert await why_not("kill -9 $$") == "the child ended (signal 9)"


async def test_a_child_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    script = "echo waiting; " + FOREVER

    assert await why_not(script, ready_seconds=0.3) == (
        "the child was not ready within 0 s: waiting"
    )


async def test_a_child_that_dies_is_restarted_and_what_must_be_done_again_is() -> None:
    again: list[int | None] = []

    async def on_restart() -> None:
        again.append(started.child.pid)

    async with running(READY + FOREVER, on_restart=on_restart) as started:
        first = started.child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: started.said("child is back"))

        assert started.said("child stopped (signal 9): restarting")
        assert again == [started.child.pid]
        assert again != [first]


async def test_a_child_that_cannot_come_back_is_tried_again(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    script = f'if [ -e "{broken}" ]; then rm "{broken}"; exit 7; fi; ' + READY + FOREVER

    async with running(script) as started:
        broken.touch()
        assert started.child.pid is not None
        os.kill(started.child.pid, signal.SIGKILL)
        await until(lambda: started.said("child is back"))

        assert started.said("the child ended (exit code 7)")


async def test_a_child_that_is_replaced_runs_its_new_command() -> None:
    async with running(READY + FOREVER) as started:
        first = started.child.pid
        started.child.spec.command = ["sh", "-c", READY.replace("here", "there") + FOREVER]

        await started.child.restart()

        assert started.child.ready_line["place"] == "there"
        assert started.child.pid != first
        assert not started.said("restarting")


async def test_a_child_that_is_stopped_is_not_restarted() -> None:
    async with running(READY + FOREVER) as started:
        pid = started.child.pid
        await started.child.stop()
        await started.child.stop()

        assert pid is not None
        assert not psutil.pid_exists(pid)
        assert started.out.getvalue() == ""


async def test_a_child_that_does_not_stop_is_killed_with_its_children() -> None:
    script = "trap '' TERM; sleep 60 & echo \"sleeper $!\"; " + READY + FOREVER

    async with running(script, stop_seconds=0.3) as started:
        sleeper = psutil.Process(int(started.out.getvalue().split()[-1]))
        await started.child.stop()

        await until(lambda: not sleeper.is_running() or sleeper.status() == "zombie")


async def test_a_command_gives_what_it_printed() -> None:
    words = ["sh", "-c", 'echo "  $COLOUR words "; echo more >&2']

    assert await run_once("talk", words, {"COLOUR": "green"}) == "green words \nmore"


async def test_a_command_that_fails_is_told_with_its_output() -> None:
    with pytest.raises(StartError, match=r"^talk failed: no such table$"):
        await run_once("talk", ["sh", "-c", "echo no such table; exit 1"], {})


async def test_very_long_lines_do_not_stop_the_reading() -> None:
    script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after; " + READY + FOREVER

    async with running(script) as started:
        await until(lambda: started.said("child  after"))
        assert len(started.out.getvalue()) < 3_000_000
