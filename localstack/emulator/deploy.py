"""Creates what a template declares in the AWS APIs at hand: tables, parameters, buckets, secrets.

    python -m localstack.emulator.deploy --template template.yaml --aws URL --state FILE

Runs again and again: what is there stays. A parameter that somebody changed is only overwritten
when its value in the template has changed since the last time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localstack.emulator.intrinsics import TemplateError
from localstack.emulator.template import Resource, load

# Of tables; what is local may be lost.
_NOT_LOCAL = (
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "Tags",
)


class Deployment:
    """One run."""

    def __init__(self, aws: str, dynamodb: str, state: Path) -> None:
        self._aws = aws
        self._dynamodb = dynamodb
        self._state = state
        self._deployed: dict[str, str] = json.loads(state.read_text()) if state.exists() else {}

    def run(self, resources: list[Resource]) -> None:
        """Creates every resource of a kind that is known here."""
        kinds: dict[str, Callable[[Resource], None]] = {
            "AWS::DynamoDB::Table": self._table,
            "AWS::SSM::Parameter": self._parameter,
            "AWS::S3::Bucket": self._bucket,
            "AWS::SecretsManager::Secret": self._secret,
        }
        for resource in resources:
            if resource.type in kinds:
                kinds[resource.type](resource)
        self._state.write_text(json.dumps(self._deployed, indent=1))

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._dynamodb if service == "dynamodb" else self._aws,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 5}),
        )

    def _table(self, resource: Resource) -> None:
        client = self._client("dynamodb")
        properties = dict(resource.properties)
        ttl = properties.pop("TimeToLiveSpecification", None)
        for name in _NOT_LOCAL:
            properties.pop(name, None)
        name = properties["TableName"]
        try:
            client.create_table(**properties)
        except client.exceptions.ResourceInUseException:
            return
        client.get_waiter("table_exists").wait(
            TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        if ttl:
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)

    def _parameter(self, resource: Resource) -> None:
        client = self._client("ssm")
        own = resource.properties
        name, value = own["Name"], str(own["Value"])
        try:
            client.get_parameter(Name=name)
            exists = True
        except client.exceptions.ParameterNotFound:
            exists = False
        if not exists or self._deployed.get(name) != value:
            client.put_parameter(
                Name=name, Value=value, Type=own.get("Type", "String"), Overwrite=True
            )
        self._deployed[name] = value

    def _bucket(self, resource: Resource) -> None:
        client = self._client("s3")
        name = resource.properties.get("BucketName", resource.logical_id.lower().replace("/", "-"))
        client.create_bucket(Bucket=name)

    def _secret(self, resource: Resource) -> None:
        client = self._client("secretsmanager")
        name = resource.properties.get("Name", resource.logical_id)
        try:
            client.create_secret(
                Name=name, SecretString=resource.properties.get("SecretString", "")
            )
        except client.exceptions.ResourceExistsException:
            return


def main() -> int:
    """Deploys; 1 with one line when something is refused."""
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__)
    parser.add_argument("--template", default="template.yaml")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--aws", required=True, metavar="URL")
    parser.add_argument("--dynamodb", default="", metavar="URL")
    parser.add_argument("--state", required=True, type=Path)
    options = parser.parse_args()
    try:
        parameters = dict(pair.split("=", 1) for pair in options.parameter)
        template = load(Path(options.template), parameters)
        deployment = Deployment(options.aws, options.dynamodb or options.aws, options.state)
        deployment.run(list(template.resources))
    except (TemplateError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
