"""DynamoDB and Parameter Store for the adapters' tests: moto in process, MiniStack over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from chalicelib.aws import Endpoint, JsonService, endpoint_url, region

ROOT = Path(__file__).parents[2]
MINISTACK = Path(sys.prefix) / "ministack" / "bin" / "python"
STAGE = "contract"
READY_SECONDS = 30.0
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "STAGE": STAGE,
}
PROTOCOLS = {"dynamodb": ("DynamoDB_20120810", "1.0"), "ssm": ("AmazonSSM", "1.1")}
CREATED = (
    "TableName",
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)
Connect = Callable[..., JsonService]


class _Template(yaml.SafeLoader):
    """Reads a CloudFormation template whose only parameter is the stage."""


_Template.add_constructor("!Sub", lambda _, node: node.value.replace("${Stage}", STAGE))
_Template.add_constructor("!Ref", lambda _, node: node.value)


def create_tables(client: Any) -> None:
    """The tables of infra/tables.yaml."""
    template = yaml.load((ROOT / "infra" / "tables.yaml").read_text(), _Template)
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        client.create_table(**{name: properties[name] for name in CREATED if name in properties})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"MiniStack did not start (exit code {process.poll()})")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MiniStack of this test run, with our tables."""
    port = free_port()
    folder = tmp_path_factory.mktemp("ministack")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [MINISTACK, "-m", "ministack"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_listening(port, process)
        url = f"http://127.0.0.1:{port}"
        session = boto3.Session("test", "test", region_name="us-east-1")
        create_tables(session.client("dynamodb", endpoint_url=url))
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def endpoint(ministack: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of a function whose AWS is MiniStack."""
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": ministack}.items():
        monkeypatch.setenv(name, value)
    return ministack


@pytest.fixture
def connect(endpoint: str) -> Iterator[Connect]:
    """Makes clients, as the functions have them; one serves one thread. Closed afterwards."""
    endpoints: list[Endpoint] = []

    def new(service: str = "dynamodb") -> JsonService:
        target, version = PROTOCOLS[service]
        endpoints.append(Endpoint(service, endpoint_url(service, region()), region()))
        return JsonService(endpoints[-1], target=target, version=version)

    yield new
    for one in endpoints:
        one.close()


@pytest.fixture
def tables(connect: Connect) -> JsonService:
    """A client for DynamoDB with our tables behind it."""
    return connect()


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of a function whose AWS is moto, with our tables."""
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        yield
