"""The local cloud, from the first port to the ready line, and down again."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Sequence
from pathlib import Path

from localstack.emulator import profiles
from localstack.emulator.console import Console
from localstack.emulator.intrinsics import TemplateError
from localstack.emulator.ports import free_port, is_free
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
        self._children: list[Child] = []
        self._aws_port = free_port(4566)
        self._inner_port = free_port(9001)
        self._kafka = ""
        self._dynamodb = f"http://127.0.0.1:{self._aws_port}"
        self._kafka_child: Child | None = None

    async def start(self) -> None:
        """Starts everything.

        Raises:
            StartError: Something cannot be started.
        """
        for name, port in (("PORT", self._options.port), ("WS_PORT", self._options.ws_port)):
            if not is_free(port):
                raise StartError(f"port {port} is taken: choose another with {name}=…")
        self._data.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(*(self._launch(spec) for spec in self._servers()))
        if self._kafka_child is not None:
            self._kafka = self._kafka_child.ready_line.get("bootstrap", self._kafka)
        await self._deploy()
        cloud = await self._launch(self._cloud())
        trigger = await self._launch(self._trigger())
        if self._kafka_child is not None and self._options.profile == "embedded":
            self._kafka_child.spec.on_restart = lambda: self._kafka_moved(cloud, trigger)
        await self._step("first requests", self._healthy())
        self._write_environment()

    async def stop(self) -> None:
        """Stops everything, what came last first; Kafka and the stores side by side."""
        while len(self._children) > 2:
            await self._children.pop().stop()
        await asyncio.gather(*(child.stop() for child in self._children))

    def _servers(self) -> list[Spec]:
        options = self._options
        full = options.profile == "full"
        aws = profiles.ministack(self._aws_port, self._data, persist=full)
        aws.on_restart = self._deploy
        if not full:
            return [aws, self._embedded_kafka()]
        if profiles.install_java_libraries():
            self._console.say("fetched Apache Kafka and DynamoDB Local")
        kafka_port, dynamodb_port = free_port(9092), free_port(8000)
        self._kafka = f"127.0.0.1:{kafka_port}"
        self._dynamodb = f"http://127.0.0.1:{dynamodb_port}"
        return [
            aws,
            profiles.apache_kafka(kafka_port, self._data),
            profiles.dynamodb_local(dynamodb_port, self._data),
        ]

    def _embedded_kafka(self) -> Spec:
        mappings = load(Path(self._options.template), self._parameters()).mappings
        readers = [(one.group, topic) for one in mappings if one.enabled for topic in one.topics]
        topics = dict.fromkeys([*(topic for _, topic in readers), *self._options.topic])
        return profiles.embedded_kafka(list(topics), readers)

    def _cloud(self) -> Spec:
        options = self._options
        command = [
            *_module("cloud"),
            *self._template_arguments(),
            *("--port", str(options.port), "--ws-port", str(options.ws_port)),
            *("--inner-port", str(self._inner_port), "--log", options.log),
            *("--time-scale", str(options.time_scale)),
        ]
        if options.static:
            command += ["--static", options.static]
        for pair in self._environment().items():
            command += ["--env", "=".join(pair)]
        for pair in options.function_concurrency:
            command += ["--function-concurrency", pair]
        return Spec(name="cloud", title="gateways and Lambda", command=command, stop_seconds=6.0)

    def _trigger(self) -> Spec:
        invoke = f"http://127.0.0.1:{self._inner_port}"
        arguments = ["--bootstrap", self._kafka, "--invoke", invoke]
        if self._options.profile == "embedded":
            arguments += ["--session-timeout-ms", "2000"]
        command = [*_module("trigger"), *self._template_arguments(), *arguments]
        return Spec(name="trigger", title="Kafka triggers", command=command)

    async def _launch(self, spec: Spec) -> Child:
        child = Child(spec, self._console)
        self._children.append(child)
        if spec.name == "kafka":
            self._kafka_child = child
        await self._step(spec.title, child.start())
        return child

    async def _deploy(self) -> None:
        arguments = ["--aws", f"http://127.0.0.1:{self._aws_port}", "--dynamodb", self._dynamodb]
        state = ["--state", str(self._data / "deployed.json")]
        command = [*_module("deploy"), *self._template_arguments(), *arguments, *state]
        if self._options.profile == "embedded":
            Path(state[1]).unlink(missing_ok=True)  # nothing of an earlier run is in memory
        await self._step("tables and parameters", run_once("deploy", command, {}))
        for command_line in self._options.init:
            words = shlex.split(command_line)
            await self._step("initialisation", run_once("init", words, self._environment()))

    async def _kafka_moved(self, cloud: Child, trigger: Child) -> None:
        """The embedded Kafka came back empty and elsewhere: all that knew it starts anew."""
        assert self._kafka_child is not None
        self._kafka = self._kafka_child.ready_line["bootstrap"]
        await self._deploy()
        cloud.spec.command, trigger.spec.command = self._cloud().command, self._trigger().command
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

    def _parameters(self) -> dict[str, str]:
        values = {
            "kafka": self._kafka,
            "port": str(self._options.port),
            "ws_port": str(self._options.ws_port),
        }
        pairs = (pair.split("=", 1) for pair in self._options.parameter)
        return {name: value.format(**values) for name, value in pairs}

    def _template_arguments(self) -> list[str]:
        arguments = ["--template", self._options.template]
        for pair in self._parameters().items():
            arguments += ["--parameter", "=".join(pair)]
        return arguments

    def _shared_variables(self) -> dict[str, str]:
        """What the template gives to every function: another program joins with the same."""
        path, parameters = Path(self._options.template), self._parameters()
        apis = load(path, parameters).websocket_apis
        hosts = {api.id: f"127.0.0.1:{self._options.ws_port}" for api in apis}
        functions = load(path, parameters, hosts=hosts).functions.values()
        shared = [set(function.environment.items()) for function in functions]
        return dict(sorted(set.intersection(*shared))) if shared else {}

    def _environment(self) -> dict[str, str]:
        """How another program joins."""
        stage = self._parameters().get("Stage", "local")
        aws = f"http://127.0.0.1:{self._aws_port}"
        return {
            **self._shared_variables(),
            "AWS_ENDPOINT_URL": aws,
            "AWS_ENDPOINT_URL_DYNAMODB": self._dynamodb,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "STAGE": stage,
            "KAFKA_BROKERS": self._kafka,
            f"{self._options.name.upper()}_URL": f"http://127.0.0.1:{self._options.port}",
        }

    def _write_environment(self) -> None:
        path = self._data / "env"
        lines = [f"{name}={shlex.quote(value)}" for name, value in self._environment().items()]
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")


async def up(options: argparse.Namespace) -> int:
    """Starts the local cloud and keeps it until Ctrl-C or SIGTERM; the exit code."""
    console = Console(options.log)
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


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"localstack.emulator.{name}"]


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read(300).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m localstack.emulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("up", help="start everything and stay")
    command.add_argument("--name", default="emulator", help="what it is called in messages")
    command.add_argument("--profile", choices=("embedded", "full"), default="embedded")
    command.add_argument("--template", default="template.yaml")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--topic", action="append", default=[], help="beside those of triggers")
    command.add_argument("--static", default="", help="folder served at /")
    command.add_argument("--port", type=int, default=8080)
    command.add_argument("--ws-port", type=int, default=8081)
    command.add_argument("--data", default=".data")
    command.add_argument("--init", action="append", default=[], help="run after the deployment")
    command.add_argument("--health", default="", help="path that answers 200 when ready")
    command.add_argument("--log", choices=("normal", "quiet", "debug"), default="normal")
    command.add_argument("--time-scale", type=float, default=1.0)
    command.add_argument("--function-concurrency", action="append", default=[])
    return parser.parse_args(arguments)


def main() -> int:
    """Runs the command line."""
    os.environ.setdefault("PYTHONPATH", os.getcwd())
    return asyncio.run(up(parse()))
