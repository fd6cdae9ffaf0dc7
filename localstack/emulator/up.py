"""The local cloud, from the first port to the ready line, and down again."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable
from pathlib import Path

from localstack.emulator import profiles
from localstack.emulator.console import Console
from localstack.emulator.intrinsics import TemplateError
from localstack.emulator.plan import Plan
from localstack.emulator.ports import is_free
from localstack.emulator.supervisor import Child, Spec, StartError, run_once
from localstack.emulator.template import load

_HEALTH_SECONDS = 30.0
_STOP_SECONDS = 9.0


class LocalCloud:
    """Every process of one local cloud."""

    def __init__(self, options: argparse.Namespace, console: Console) -> None:
        self._options = options
        self._console = console
        self._data = Path(options.data).resolve()
        self._plan = Plan(options)
        self._children: list[Child] = []

    async def start(self) -> None:
        """Starts everything.

        Raises:
            StartError: Something cannot be started.
        """
        for name, port in (("PORT", self._options.port), ("WS_PORT", self._options.ws_port)):
            if not is_free(port):
                raise StartError(f"port {port} is taken: choose another with {name}=…")
        for note in load(Path(self._options.template), self._plan.parameters()).notes:
            self._console.say(f"  {note}")
        self._data.mkdir(parents=True, exist_ok=True)
        if self._options.profile == "full" and profiles.install_java_libraries():
            self._console.say("fetched Apache Kafka and DynamoDB Local")
        specs = self._plan.servers()
        specs[0].on_restart = self._deploy
        _, kafka, *_ = await asyncio.gather(*(self._launch(spec) for spec in specs))
        self._plan.kafka = kafka.ready_line.get("bootstrap", self._plan.kafka)
        await self._deploy()
        cloud = await self._launch(self._plan.cloud())
        trigger = await self._launch(self._plan.trigger())
        if self._options.profile == "embedded":
            kafka.spec.on_restart = lambda: self._kafka_moved(kafka, cloud, trigger)
        await self._step("first requests", self._healthy())
        self._write_environment()

    async def stop(self) -> None:
        """Stops everything, what came last first; Kafka and the stores side by side."""
        while len(self._children) > 2:
            await self._children.pop().stop()
        await asyncio.gather(*(child.stop() for child in self._children))

    async def _launch(self, spec: Spec) -> Child:
        child = Child(spec, self._console)
        self._children.append(child)
        await self._step(spec.title, child.start())
        return child

    async def _deploy(self) -> None:
        state = self._data / "deployed.json"
        if self._options.profile == "embedded":
            state.unlink(missing_ok=True)  # nothing of an earlier run is in memory
        command = self._plan.deployment(state)
        await self._step("tables and parameters", run_once("deploy", command, {}))
        for command_line in self._options.init:
            words = shlex.split(command_line)
            work = run_once("init", words, self._plan.environment())
            await self._step("initialisation", work)

    async def _kafka_moved(self, kafka: Child, cloud: Child, trigger: Child) -> None:
        """The embedded Kafka came back empty and elsewhere: all that knew it starts anew."""
        self._plan.kafka = kafka.ready_line["bootstrap"]
        await self._deploy()
        cloud.spec.command = self._plan.cloud().command
        trigger.spec.command = self._plan.trigger().command
        await cloud.restart()
        await trigger.restart()
        self._write_environment()

    async def _healthy(self) -> None:
        if not self._options.health:
            return
        url = f"http://127.0.0.1:{self._options.port}{self._options.health}"
        deadline = time.monotonic() + _HEALTH_SECONDS
        why = ""
        while time.monotonic() < deadline:
            status, why = await asyncio.to_thread(_get, url)
            if status == 200:
                return
            await asyncio.sleep(0.1)
        raise StartError(f"{url} does not answer 200 within {_HEALTH_SECONDS:.0f} s: {why}")

    async def _step(self, title: str, work: Awaitable[object]) -> None:
        started = time.monotonic()
        await work
        self._console.say(f"  {title} … {time.monotonic() - started:.1f} s")

    def _write_environment(self) -> None:
        path = self._data / "env"
        pairs = self._plan.environment().items()
        lines = [f"{name}={shlex.quote(value)}" for name, value in pairs]
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text("\n".join(lines) + "\n")
        draft.replace(path)  # whoever reads meanwhile reads all of it, the old or the new


async def up(options: argparse.Namespace) -> int:
    """Starts the local cloud and keeps it until Ctrl-C or SIGTERM; the exit code."""
    console = Console(quiet=options.log == "quiet")
    cloud = LocalCloud(options, console)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    console.say(f"{options.name}: starting the local cloud, profile {options.profile}")
    starting = loop.create_task(cloud.start())
    stopping = loop.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    code = 0
    if starting.done() and (error := starting.exception()) is not None:
        if not isinstance(error, StartError | TemplateError):
            raise error
        console.say(f"{options.name}: {error}")
        code = 1
    elif starting.done():
        console.say(f"{options.name} is ready: http://127.0.0.1:{options.port}")
        await stop.wait()
        console.say(f"{options.name}: stopping")
    starting.cancel()
    try:
        await asyncio.wait_for(cloud.stop(), _STOP_SECONDS)
    except TimeoutError:
        console.say(f"{options.name}: something did not stop in time and was killed")
    return code


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read(300).decode(errors="replace")
    except OSError as error:
        return 0, str(error)
