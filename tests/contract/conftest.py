"""AWS for the adapters' tests: moto in process; over HTTP MiniStack, or whatever is named.

localstack-client says what is named: `AWS_ENDPOINT_URL`, or `LOCALSTACK_HOST` (host:port).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from localstack_client import config
from localstack_client.session import Session
from moto import mock_aws

from chalicelib.aws import Endpoint, JsonService, endpoint_url, region
from tests.contract.exceptions import expect_failures
from tests.ministack import running

ROOT = Path(__file__).parents[2]
STAGE = "contract"
# The account, for LocalStack and MiniStack: a named server is shared by all that test at once.
ACCESS_KEY = f"1{os.environ.get('PYTEST_XDIST_WORKER', '0').removeprefix('gw'):0>11}"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
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


def delete_tables(client: Any) -> None:
    """Whatever tables of this stage are there."""
    for page in client.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if name.startswith(f"lambchat-{STAGE}-"):
                client.delete_table(TableName=name)


def named_server() -> str | None:
    """The server to test against, when there is one."""
    if os.environ.keys() & {"AWS_ENDPOINT_URL", "LOCALSTACK_HOST"}:
        return config.get_service_endpoint("dynamodb")
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if server := named_server():
        expect_failures(items, server)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MiniStack of this test run, or of the named server, with our tables."""
    with contextlib.ExitStack() as stack:
        url = named_server() or stack.enter_context(running(tmp_path_factory.mktemp("ministack")))
        session = Session(ACCESS_KEY, localstack_host=url.partition("//")[2])
        client = stack.enter_context(contextlib.closing(session.client("dynamodb")))
        delete_tables(client)
        create_tables(client)
        yield url
        delete_tables(client)


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
