"""The process that serves a template: gateways, runtime, schedules.

Prints one JSON line ``{"event":"ready",…}`` when it serves, then a JSON record a line. Ends with
code 1 and one line on stderr when the template cannot be read or a port is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop

from localstack.emulator import schedule
from localstack.emulator.event_files import EventFiles
from localstack.emulator.gateway import Gateway
from localstack.emulator.httpserver import Handler, Request, Response, Upgrade, serve
from localstack.emulator.invoke_api import InvokeApi
from localstack.emulator.quotas import Settings, TokenBucket
from localstack.emulator.recorder import Recorder
from localstack.emulator.restgateway import MAX_BODY_BYTES, RestGateway
from localstack.emulator.runtime import Limits, Runtime
from localstack.emulator.stages import Stages
from localstack.emulator.static import StaticFiles
from localstack.emulator.template import Template, TemplateError, load

_HOST = "127.0.0.1"
_FLUSH_SECONDS = 0.05


class RecordWriter:
    """Log records, written to stdout a batch at a time: a line each would cost too much."""

    def __init__(self, level: str) -> None:
        self._quiet = level == "quiet"
        self._with_access = level == "debug"
        self._lines: list[str] = []

    def log(self, record: Mapping[str, Any]) -> None:
        """Takes a record; what the level leaves out costs nothing further."""
        kind = record["kind"]
        if kind == "access" and not self._with_access:
            return
        if kind == "report" and self._quiet and record["error"] is None:
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        self._lines.append(json.dumps(record, separators=(",", ":")))

    def flush(self) -> None:
        """Writes what has gathered."""
        lines, self._lines = self._lines, []
        if lines:
            with contextlib.suppress(BrokenPipeError):
                sys.stdout.write("\n".join(lines) + "\n")
                sys.stdout.flush()


class Cloud:
    """Everything that is served, in the order of its start."""

    def __init__(self, template: Template, options: argparse.Namespace) -> None:
        self._options = options
        self._records = RecordWriter(options.log)
        self._template = template
        self._recorder = Recorder(Path(options.record)) if options.record else None
        environment = _pairs(options.env)
        functions = template.functions
        if self._recorder is not None:
            functions = self._recorder.attach(functions, environment)
        self._runtime = Runtime(
            functions,
            root=Path(options.template).resolve().parent,
            environment=environment,
            limits=Limits(
                concurrency=options.concurrency,
                overrides={
                    name: int(most) for name, most in _pairs(options.function_concurrency).items()
                },
            ),
            log=self._records.log,
            preload=options.preload,
            on_event=EventFiles(Path(options.events)).keep if options.events else None,
        )
        settings = _settings(options)
        # AWS counts the requests of all of an account's APIs together.
        requests = TokenBucket(settings.requests_per_second, settings.request_burst)
        self._gateways = [
            Gateway(
                api,
                self._runtime,
                port=options.ws_port,
                settings=settings,
                requests=requests,
                log=self._records.log,
            )
            for api in template.websocket_apis
        ]
        self._rest = [
            RestGateway(api, self._runtime, requests=requests, log=self._records.log)
            for api in template.rest_apis
        ]
        self._static = StaticFiles(Path(options.static)) if options.static else None
        self._servers: list[asyncio.Server] = []

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        await self._start()
        schedules = loop.create_task(schedule.run(self._template.schedules, self._runtime.invoke))
        ready = {"event": "ready", "pid": os.getpid(), "ports": self._ports()}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
        schedules.cancel()
        for server in self._servers:
            server.close()
        if self._recorder is not None:
            self._recorder.close()
        await asyncio.gather(*(gateway.stop() for gateway in self._gateways))
        await self._runtime.stop()
        self._records.flush()

    async def _start(self) -> None:
        if self._recorder is not None:
            await self._recorder.start()
        await self._runtime.start()
        options = self._options
        stages = Stages(self._gateways)
        functions = self._template.functions.values()
        names = {one.deployed_name: one.name for one in functions if one.deployed_name}
        await self._listen(InvokeApi(self._runtime, names).handle, options.inner_port)
        await self._listen(self._serve_rest, options.port)
        await self._listen(stages.handle, options.ws_port, stages.upgrade)
        for gateway in self._gateways:
            gateway.start()

    async def _listen(
        self,
        handler: Handler,
        port: int,
        upgrade: Upgrade | None = None,
    ) -> None:
        most = MAX_BODY_BYTES + 1  # one more: the gateway itself says that it is too large
        self._servers.append(await serve(handler, _HOST, port, max_body=most, upgrade=upgrade))

    def _ports(self) -> list[int]:
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def _serve_rest(self, request: Request) -> Response:
        for gateway in self._rest:
            answer = await gateway.answer(request)
            if answer is not None:
                return answer
        if self._static is not None:
            return self._static.answer(request)
        body = b'{"message":"Missing Authentication Token"}'
        return Response(403, body, (("content-type", "application/json"),))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="cloud", description=__doc__)
    parser.add_argument("--template", default="template.yaml")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--ws-port", type=int, default=8081)
    parser.add_argument("--inner-port", type=int, default=9001)
    parser.add_argument("--static", default="", help="folder served where no API is")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--preload", action="append", default=[], help="a module of most handlers")
    parser.add_argument(
        "--function-concurrency", action="append", default=[], metavar="FUNCTION=NUMBER"
    )
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--connects-per-second", type=float, help="AWS's default quota: 500")
    parser.add_argument("--requests-per-second", type=float, help="AWS's default quota: 10000")
    parser.add_argument("--lost-disconnects", type=float, default=0.0, help="a fraction")
    parser.add_argument("--seed", type=int, default=0, help="which disconnects are lost")
    parser.add_argument("--log", choices=("normal", "quiet", "debug"), default="normal")
    parser.add_argument("--record", default="", help="a file for each function's calls of AWS")
    parser.add_argument("--events", default="", help="a folder for each function's events")
    return parser.parse_args(arguments)


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        time_scale=options.time_scale,
        connects_per_second=options.connects_per_second,
        requests_per_second=options.requests_per_second,
        lost_disconnects=options.lost_disconnects,
        seed=options.seed,
    )


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def main() -> int:
    """Serves the template that the command line names; the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    options = parse()
    try:
        path, parameters = Path(options.template), _pairs(options.parameter)
        # An API's id comes from its name, so a first reading tells which hosts there are.
        apis = load(path, parameters).websocket_apis
        hosts = {api.id: f"{_HOST}:{options.ws_port}" for api in apis}
        cloud = Cloud(load(path, parameters, hosts=hosts), options)
        uvloop.run(cloud.run())
    except (TemplateError, ValueError, OSError) as error:
        print(f"cloud: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
