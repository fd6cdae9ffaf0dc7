"""The whole process on a template of its own: real handlers behind the Runtime API."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import connect

from localstack.emulator.cloud import RecordWriter
from localstack.emulator.ports import free_port
from tests.unit.emulator.local import http

pytestmark = pytest.mark.req("SHAPE-2", "SHAPE-3")

ROOT = Path(__file__).parents[3]
TEMPLATE = """
Globals: { Function: { Timeout: 10 } }
Resources:
  Parrot:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: dev
      RouteSelectionExpression: $request.body.action
      Routes:
        $default:
          FunctionArn: !GetAtt Speak.Arn
          RouteResponseSelectionExpression: $default
  Answers:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Parrot, RouteId: !Ref ParrotDefaultRoute, RouteResponseKey: $default }
  Speak:
    Type: AWS::Serverless::Function
    Properties:
      Handler: parrot.handler
      Environment:
        Variables: { CALLBACK: !Sub "https://${Parrot}.execute-api.us-east-1.amazonaws.com/dev" }
      Events: { Get: { Type: Api, Properties: { Path: /v1/say, Method: GET } } }
"""
HANDLER = """
import os

def handler(event, context):
    print("speaking")
    words = event.get("body") or os.environ["CALLBACK"]
    return {"statusCode": 200, "body": words + " " + os.environ["MOOD"]}
"""


@dataclass
class Process:
    """A running cloud, and what it printed."""

    process: asyncio.subprocess.Process
    port: int
    ws_port: int

    async def line(self, kind: str) -> dict[str, object]:
        assert self.process.stdout is not None
        while True:
            record = json.loads(await self.process.stdout.readline())
            if kind in (record.get("kind"), record.get("event")):
                return dict(record)


async def spawn(template: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localstack.emulator.cloud", "--template", str(template)),
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Process]:
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "parrot.py").write_text(HANDLER)
    (folder / "web").mkdir()
    (folder / "web" / "index.html").write_text("<p>page")
    port, ws_port = free_port(), free_port()
    process = await spawn(
        folder / "template.yaml",
        *("--port", str(port), "--ws-port", str(ws_port), "--inner-port", "0"),
        *("--static", str(folder / "web"), "--env", "MOOD=happily=yes"),
    )
    cloud = Process(process, port, ws_port)
    try:
        await cloud.line("ready")
        yield cloud
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_template_is_served_by_real_workers(tmp_path: Path) -> None:
    async with running(tmp_path) as cloud:
        async with connect(f"ws://127.0.0.1:{cloud.ws_port}/dev", proxy=None) as client:
            await client.send("hello")
            answer = await client.recv()
        spoken = await http(f"127.0.0.1:{cloud.port}", "GET", "/v1/say")
        page = await http(f"127.0.0.1:{cloud.port}", "GET", "/")
        said, report = await cloud.line("log"), await cloud.line("report")

    assert answer == "hello happily=yes"
    assert spoken[2] == f"http://127.0.0.1:{cloud.ws_port}/dev happily=yes".encode()
    assert (page[0], page[2]) == (200, b"<p>page")
    assert (said["function"], said["message"]) == ("Speak", "speaking")
    assert report["function"] == "Speak"


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_everything_within_seconds(
    tmp_path: Path, name: signal.Signals
) -> None:
    async with (
        running(tmp_path) as cloud,
        connect(f"ws://127.0.0.1:{cloud.ws_port}/dev", proxy=None) as client,
    ):
        await client.send("hello")
        await client.recv()
        workers = psutil.Process(cloud.process.pid).children(recursive=True)
        cloud.process.send_signal(name)
        async with asyncio.timeout(20):
            code = await cloud.process.wait()
        await client.wait_closed()

    assert (code, client.close_code) == (0, 1001)
    assert workers
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.parametrize(
    ("level", "kinds"),
    [
        ("quiet", ["failed", "log"]),
        ("normal", ["report", "failed", "log"]),
        ("debug", ["report", "failed", "access", "log"]),
    ],
)
async def test_each_level_of_the_log_adds_a_kind_of_record(
    capsys: pytest.CaptureFixture[str], level: str, kinds: list[str]
) -> None:
    records = RecordWriter(level)

    records.log({"kind": "report", "name": "report", "error": None})
    records.log({"kind": "report", "name": "failed", "error": "Timeout"})
    records.log({"kind": "access", "name": "access"})
    records.log({"kind": "log", "name": "log"})
    records.flush()

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == kinds


async def test_a_broken_template_is_one_line_and_code_1(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: { F: { Type: AWS::Serverless::Function } }")
    process = await spawn(tmp_path / "template.yaml")
    _, errors = await process.communicate()

    assert (process.returncode, errors) == (
        1,
        b"cloud: template.yaml: F: expected a Handler\n",
    )


async def test_a_taken_port_is_one_line_and_code_1(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await spawn(tmp_path / "template.yaml", "--inner-port", str(port))
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert errors.count(b"\n") == 1
    assert str(port).encode() in errors
