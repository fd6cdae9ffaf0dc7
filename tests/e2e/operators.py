"""Users whom an operator gave a role."""

from __future__ import annotations

import contextlib
from typing import Any

import boto3

from tests.e2e.client import User
from tests.e2e.system import System


def promote(system: System, user: User) -> User:
    """Makes a user an administrator, and logs them in anew: the token says so."""
    with contextlib.closing(aws(system, "dynamodb")) as client:
        client.update_item(
            TableName="lambchat-local-users",
            Key={"pk": {"S": f"user#{user.id}"}},
            UpdateExpression="SET #roles = :roles",
            ExpressionAttributeNames={"#roles": "roles"},
            ExpressionAttributeValues={":roles": {"L": [{"S": "admin"}]}},
        )
    return user.log_in()


def aws(system: System, service: str) -> Any:
    """A client for the system's own AWS."""
    environment = system.environment()
    return boto3.client(
        service,
        endpoint_url=environment.get(
            f"AWS_ENDPOINT_URL_{service.upper()}", environment["AWS_ENDPOINT_URL"]
        ),
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
