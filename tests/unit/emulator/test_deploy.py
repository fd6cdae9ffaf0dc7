"""What a template declares is created, here in moto; on MiniStack by tests/integration."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from localstack.emulator.deploy import Deployment
from localstack.emulator.template import load
from tests.unit.emulator.conftest import Write

pytestmark = pytest.mark.usefixtures("aws")

TABLE = """
Table:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: things
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
    TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
"""
PARAMETER = """
Setting:
  Type: AWS::SSM::Parameter
  Properties: {Name: /demo/colour, Type: String, Value: COLOUR}
"""
SECRET = """
Key: {Type: AWS::SecretsManager::Secret, Properties: {Name: key, SecretString: first}}
Cluster: {Type: AWS::MSK::ServerlessCluster}
"""
BUCKETS = """
Files: {Type: AWS::S3::Bucket}
Named: {Type: AWS::S3::Bucket, Properties: {BucketName: pictures}}
"""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def address(service: str) -> str:
    return f"https://{service}.us-east-1.amazonaws.com"


def deploy(template: Path, service: str, *, state: str = "state.json") -> dict[str, Any]:
    """Deploys to moto, which knows services by their addresses; what is remembered."""
    path = template.parent / state
    Deployment(address(service), address("dynamodb"), path).run(list(load(template, {}).resources))
    remembered: dict[str, Any] = json.loads(path.read_text())
    return remembered


def colour() -> str:
    value = boto3.client("ssm").get_parameter(Name="/demo/colour")["Parameter"]["Value"]
    return str(value)


def test_a_table_is_created_with_its_expiry_and_stays(write: Write) -> None:
    template = write(TABLE)

    deploy(template, "dynamodb")
    client = boto3.client("dynamodb")
    client.put_item(TableName="things", Item={"id": {"S": "kept"}})
    deploy(template, "dynamodb")

    expiry = client.describe_time_to_live(TableName="things")["TimeToLiveDescription"]
    assert (expiry["AttributeName"], expiry["TimeToLiveStatus"]) == ("ttl", "ENABLED")
    assert client.scan(TableName="things")["Count"] == 1


def test_a_parameter_that_somebody_changed_stays(write: Write) -> None:
    template = write(PARAMETER.replace("COLOUR", "green"))

    assert deploy(template, "ssm") == {"/demo/colour": "green"}
    boto3.client("ssm").put_parameter(Name="/demo/colour", Value="red", Overwrite=True)
    deploy(template, "ssm")

    assert colour() == "red"


def test_a_parameter_whose_value_in_the_template_changed_is_written(write: Write) -> None:
    deploy(write(PARAMETER.replace("COLOUR", "green")), "ssm")
    boto3.client("ssm").put_parameter(Name="/demo/colour", Value="red", Overwrite=True)

    deploy(write(PARAMETER.replace("COLOUR", "blue")), "ssm")

    assert colour() == "blue"


def test_a_parameter_that_was_deleted_comes_back(write: Write) -> None:
    template = write(PARAMETER.replace("COLOUR", "green"))
    deploy(template, "ssm")
    boto3.client("ssm").delete_parameter(Name="/demo/colour")

    deploy(template, "ssm")

    assert colour() == "green"


def test_a_secret_is_created_once_and_what_is_not_known_is_left_out(write: Write) -> None:
    deploy(write(SECRET), "secretsmanager")
    deploy(write(SECRET.replace("first", "second")), "secretsmanager")

    secret = boto3.client("secretsmanager").get_secret_value(SecretId="key")
    assert secret["SecretString"] == "first"


def test_buckets_are_created_and_have_a_name_of_their_own(write: Write) -> None:
    template = write(BUCKETS)

    deploy(template, "s3")
    deploy(template, "s3")

    names = {bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]}
    assert names == {"files", "pictures"}


def test_a_template_that_cannot_be_read_is_one_line_and_code_1(write: Write) -> None:
    template = write("Function: {Type: AWS::Serverless::Function}")
    command = [sys.executable, "-m", "localstack.emulator.deploy", "--template", str(template)]
    command += ["--aws", "http://127.0.0.1:9", "--state", str(template.parent / "state.json")]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["template.yaml: Function: expected a Handler"]
