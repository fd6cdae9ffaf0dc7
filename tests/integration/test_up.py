"""The local cloud as a process: a template of its own, which knows nothing of chat."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import pytest
import websockets.sync.client

from localstack.emulator.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Colour: {Type: String, Default: blue}
Resources:
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: demo
      RouteSelectionExpression: $request.body.action
      Routes:
        $default:
          FunctionArn: !GetAtt Echo.Arn
          RouteResponseSelectionExpression: $default
  EchoResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Socket, RouteId: !Ref SocketDefaultRoute, RouteResponseKey: $default}
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: demo}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: echo.handler
      Environment: {Variables: {COLOUR: !Ref Colour}}
      Events:
        Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /echo, Method: GET}}
  Count:
    Type: AWS::Serverless::Function
    Properties:
      Handler: echo.count
      Events:
        Orders:
          Type: MSK
          Properties:
            Stream: arn:aws:kafka:us-east-1:000000000000:cluster/demo/0
            Topics: [orders]
            StartingPosition: TRIM_HORIZON
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
  Setting:
    Type: AWS::SSM::Parameter
    Properties: {Name: /demo/colour, Type: String, Value: !Ref Colour}
"""
HANDLERS = """
import json, os
def handler(event, context):
    return {"statusCode": 200, "body": event.get("body") or os.environ["COLOUR"]}
def count(event, context):
    for place in event["records"].values():
        print("counted", len(place))
"""


class Up:
    """`python -m localstack.emulator up`, and what it says."""

    def __init__(self, folder: Path, *, port: int = 0, name: str = "demo") -> None:
        self.folder = folder
        self.port, self.ws_port = port or free_port(), free_port()
        self.data = folder / f"data-{self.port}"
        (folder / "template.yaml").write_text(TEMPLATE)
        (folder / "echo.py").write_text(HANDLERS)
        command = [sys.executable, "-m", "localstack.emulator", "up", "--name", name]
        command += ["--template", str(folder / "template.yaml"), "--data", str(self.data)]
        command += ["--port", str(self.port), "--ws-port", str(self.ws_port)]
        command += ["--parameter", "Colour=green", "--log", "debug"]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.lines.extend(iter(lines.readline, ""))

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def wait_for(self, text: str) -> None:
        eventually(lambda: self.said(text) or self.process.poll() is not None, READY_SECONDS)
        assert self.said(text), "".join(self.lines)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        return next(one for one in self.children() if word in " ".join(one.cmdline()))

    def stop(self, how: int = signal.SIGTERM) -> int:
        family = self.children() if self.process.poll() is None else []
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        code = self.process.wait(60)
        self._reader.join(30)
        _, left = psutil.wait_procs(family, timeout=20)
        assert left == []
        return code

    def environment(self) -> dict[str, str]:
        lines = (self.data / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def echo(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/echo", timeout=10) as answer:
            return str(answer.read().decode())


def eventually(true: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("up"))
    running.wait_for("is ready")
    yield running
    assert running.stop() == 0


def test_it_serves_what_the_template_declares(up: Up) -> None:
    assert up.said(f"demo is ready: http://127.0.0.1:{up.port}")
    assert up.echo() == "green"
    with websockets.sync.client.connect(f"ws://127.0.0.1:{up.ws_port}/demo") as client:
        client.send('{"action": "anything"}')
        assert client.recv(timeout=10) == '{"action": "anything"}'


def test_invocations_and_requests_are_shown_as_they_happen(up: Up) -> None:
    up.echo()

    eventually(lambda: any("Echo" in line and "billed" in line for line in up.lines))
    up.wait_for("GET /echo 200")


@pytest.mark.req("SHAPE-3")
def test_a_record_in_the_topic_invokes_the_function(up: Up) -> None:
    import confluent_kafka

    producer = confluent_kafka.Producer({"bootstrap.servers": up.environment()["KAFKA_BROKERS"]})
    producer.produce("orders", b"one")
    producer.flush(10)

    up.wait_for("counted 1")


def test_tables_and_parameters_are_there(up: Up) -> None:
    where = {
        "endpoint_url": up.environment()["AWS_ENDPOINT_URL"],
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }

    parameter = boto3.client("ssm", **where).get_parameter(Name="/demo/colour")
    table = boto3.client("dynamodb", **where).describe_table(TableName="things")

    assert parameter["Parameter"]["Value"] == "green"
    assert table["Table"]["TableStatus"] == "ACTIVE"


def test_the_file_with_the_addresses_is_private_and_for_a_shell(up: Up) -> None:
    shell = f'set -a; . "{up.data / "env"}"; echo "$AWS_ENDPOINT_URL $DEMO_URL"'

    said = subprocess.run(["sh", "-c", shell], check=True, capture_output=True, text=True).stdout

    assert said.split() == [
        up.environment()["AWS_ENDPOINT_URL"],
        f"http://127.0.0.1:{up.port}",
    ]
    assert (up.data / "env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("word", ["emulator.trigger", "emulator.cloud"])
def test_a_child_that_is_killed_is_said_and_restarted(up: Up, word: str) -> None:
    name = word.partition(".")[2]
    up.child(word).kill()

    up.wait_for(f"{name} stopped (signal 9): restarting")
    up.wait_for(f"{name} is back")

    eventually(lambda: answers(up))


def answers(up: Up) -> bool:
    try:
        return up.echo() == "green"
    except (OSError, urllib.error.URLError):
        return False


def test_when_the_embedded_kafka_dies_everything_finds_the_new_one(up: Up) -> None:
    import confluent_kafka

    before = up.environment()["KAFKA_BROKERS"]
    up.child("kafka_embedded").kill()
    eventually(lambda: up.environment()["KAFKA_BROKERS"] != before, 40)

    producer = confluent_kafka.Producer({"bootstrap.servers": up.environment()["KAFKA_BROKERS"]})
    for _ in range(7):
        producer.produce("orders", b"many", partition=0)
    producer.flush(10)

    eventually(lambda: up.said("counted 7"), 30)


def test_two_run_side_by_side_and_ctrl_c_stops_one(up: Up, tmp_path: Path) -> None:
    second = Up(tmp_path, name="second")
    second.wait_for("is ready")
    assert second.echo() == "green"

    started = time.monotonic()
    code = second.stop(signal.SIGINT)

    assert code == 0
    assert time.monotonic() - started < 30
    assert up.echo() == "green"


def test_a_taken_port_is_one_clear_line_and_exit_code_1(up: Up, tmp_path: Path) -> None:
    second = Up(tmp_path, port=up.port)

    second.wait_for(f"port {up.port} is taken: choose another with PORT=")

    assert second.process.wait(30) == 1


def test_when_the_supervisor_itself_is_killed_nothing_is_left(tmp_path: Path) -> None:
    lost = Up(tmp_path)
    lost.wait_for("is ready")
    family = lost.children()

    os.kill(lost.process.pid, signal.SIGKILL)
    lost.process.wait(30)

    _, left = psutil.wait_procs(family, timeout=30)
    assert left == []


def test_a_template_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(json.dumps({"Resources": {"F": {"Type": "AWS::Serverless::Function"}}}))
    command = [sys.executable, "-m", "localstack.emulator", "up", "--template", str(broken)]
    command += ["--data", str(tmp_path), "--port", str(free_port()), "--ws-port", str(free_port())]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert "F" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout + done.stderr
