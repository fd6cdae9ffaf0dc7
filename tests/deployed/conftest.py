from __future__ import annotations

import subprocess
from collections.abc import Iterator

import boto3
import pytest

from localstack.emulator.template import Template
from tests import ministack
from tests.deployed.changes import ROOT
from tests.deployed.stack import (
    Stack,
    declared,
    deployment,
    embedded_kafka,
    parameters,
    triggers,
)

AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MiniStack, and an environment in which every AWS call goes to it."""
    with (
        ministack.running(tmp_path_factory.mktemp("ministack")) as url,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in {**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": url}.items():
            environment.setenv(name, value)
        yield url


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    with embedded_kafka() as address:
        yield address


@pytest.fixture(scope="session")
def template() -> Template:
    return declared()


@pytest.fixture(scope="session")
def stack(
    aws: str, kafka: str, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The whole of template.yaml; at the end it must go away without a trace."""
    subprocess.run(["make", "-s", "setup-deploy"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    script = deployment(aws, tmp_path_factory.mktemp("stack") / "build")
    deployed = Stack(aws, script.deploy(parameters(kafka)))
    with triggers(deployed, template, kafka):
        yield deployed
    script.destroy(with_data=True)
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
