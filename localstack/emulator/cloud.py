"""The process that serves a template: gateways, runtime, schedules.

Prints one JSON line `{"event":"ready",…}` when it serves, then a JSON record a line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop

from localstack.emulator import schedule
from localstack.emulator.connections_api import ConnectionsApi
from localstack.emulator.gateway import Gateway, Settings
from localstack.emulator.httpserver import Request, Response, serve
from localstack.emulator.invoke_api import InvokeApi
from localstack.emulator.restgateway import RestGateway
from localstack.emulator.runtime import Limits, Runtime
from localstack.emulator.static import StaticFiles
from localstack.emulator.template import Template, load

_HOST = "127.0.0.1"


class Console:
    """Log records, written to stdout a batch at a time: a line each would cost too much."""

    def __init__(self, level: str) -> None:
        self._quiet = level == "quiet"
        self._lines: list[str] = []

    def log(self, record: Mapping[str, Any]) -> None:
        """Takes a record; when quiet only what went wrong."""
        if self._quiet and record["kind"] == "report" and record["error"] is None:
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(0.05, self.flush)
        self._lines.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")))

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
        self._console = Console(options.log)
        self._template = template
        self._runtime = Runtime(
            template.functions,
            root=Path(options.template).resolve().parent,
            environment=dict(pair.split("=", 1) for pair in options.env),
            limits=Limits(
                concurrency=options.concurrency,
                overrides={
                    name: int(most)
                    for name, _, most in (
                        one.partition("=") for one in options.function_concurrency
                    )
                },
            ),
            log=self._console.log,
        )
        self._gateways = [
            Gateway(
                api,
                self._runtime,
                port=options.ws_port,
                settings=Settings(time_scale=options.time_scale),
                log=self._console.log,
            )
            for api in template.websocket_apis
        ]
        self._rest = [RestGateway(api, self._runtime) for api in template.rest_apis]
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
        sys.stdout.write(json.dumps({"event": "ready", "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        await stop.wait()
        schedules.cancel()
        for server in self._servers:
            server.close()
        await asyncio.gather(*(gateway.stop() for gateway in self._gateways))
        await self._runtime.stop()
        self._console.flush()

    async def _start(self) -> None:
        await self._runtime.start()
        options = self._options
        invoke = InvokeApi(self._runtime)
        self._servers.append(await serve(invoke.handle, _HOST, options.inner_port))
        self._servers.append(await serve(self._serve_rest, _HOST, options.port))
        for gateway in self._gateways[:1]:  # one port, one WebSocket API
            gateway.start()
            management = ConnectionsApi(gateway)
            self._servers.append(
                await serve(management.handle, _HOST, options.ws_port, upgrade=gateway.upgrade)
            )

    async def _serve_rest(self, request: Request) -> Response:
        for gateway in self._rest:
            found = gateway.match(request)
            if found is not None:
                return await gateway.answer(request, *found)
        if self._static is not None:
            return self._static.answer(request)
        return Response(
            403,
            b'{"message":"Missing Authentication Token"}',
            (("content-type", "application/json"),),
        )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="cloud", description=__doc__)
    parser.add_argument("--template", default="template.yaml")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--ws-port", type=int, default=8081)
    parser.add_argument("--inner-port", type=int, default=9001)
    parser.add_argument("--static", default="")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument(
        "--function-concurrency", action="append", default=[], metavar="FUNCTION=NUMBER"
    )
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--log", choices=("normal", "quiet", "debug"), default="normal")
    return parser.parse_args(arguments)


def main() -> None:
    """Serves the template that the command line names."""
    options = parse()
    parameters = dict(pair.split("=", 1) for pair in options.parameter)
    path = Path(options.template)
    # The APIs' ids are derived from their names, so a first reading tells which hosts there are.
    apis = load(path, parameters).websocket_apis
    hosts = {api.id: f"{_HOST}:{options.ws_port}" for api in apis}
    template = load(path, parameters, hosts=hosts)
    uvloop.run(Cloud(template, options).run())


if __name__ == "__main__":
    main()
