"""Notifications on mobile devices, taken by MiniStack's SNS."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.aws import Endpoint
from chalicelib.errors import UnavailableError
from chalicelib.models import PushNote, PushResult
from chalicelib.sns import PlatformEndpoints

TOKEN = "t0ken:with/all+kinds=of&signs"


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    with contextlib.closing(boto3.client("sns", endpoint_url=endpoint)) as made:
        yield made


@pytest.fixture
def application(client: Any) -> str:
    name = f"chat-{uuid.uuid4().hex[:8]}"
    made = client.create_platform_application(
        Name=name,
        Platform="GCM",
        Attributes={"PlatformPrincipal": "none", "PlatformCredential": "none"},
    )
    arn: str = made["PlatformApplicationArn"]
    return arn


@pytest.fixture
def sns(endpoint: str) -> Iterator[PlatformEndpoints]:
    made = Endpoint("sns", endpoint, "us-east-1")
    yield PlatformEndpoints(made)
    made.close()


def attributes(client: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = client.get_endpoint_attributes(EndpointArn=arn)["Attributes"]
    return found


def test_a_token_has_one_endpoint_which_says_whose_it_is(
    sns: PlatformEndpoints, client: Any, application: str
) -> None:
    arn, before = sns.create(application, TOKEN, "ann phone")

    assert before == ""
    assert attributes(client, arn) == {
        "Enabled": "true",
        "Token": TOKEN,
        "CustomUserData": "ann phone",
    }
    assert sns.create(application, TOKEN, "ann phone") == (arn, "")


def test_a_token_that_somebody_else_had_is_told_and_taken_over(
    sns: PlatformEndpoints, client: Any, application: str
) -> None:
    arn, _ = sns.create(application, TOKEN, "ann phone")
    client.set_endpoint_attributes(EndpointArn=arn, Attributes={"Enabled": "false"})

    assert sns.create(application, TOKEN, "bob phone") == (arn, "ann phone")
    sns.enable(arn, TOKEN, "bob phone")

    found = attributes(client, arn)
    assert (found["Enabled"], found["CustomUserData"]) == ("true", "bob phone")


@pytest.mark.req("APP-11")
def test_notifications_are_taken_and_a_deleted_endpoint_is_gone(
    sns: PlatformEndpoints, application: str
) -> None:
    arns = [sns.create(application, f"{TOKEN}{number}", "ann phone")[0] for number in range(3)]

    sns.delete(arns[1:2])
    sns.delete(arns[1:2])

    notes = [PushNote(endpoint=arn, message='{"default":"x"}', collapse_id="c") for arn in arns]
    assert sns.publish(notes) == [PushResult.SENT, PushResult.GONE, PushResult.SENT]


def test_an_application_that_does_not_exist_is_unavailable(
    sns: PlatformEndpoints, client: Any, application: str
) -> None:
    with pytest.raises(UnavailableError, match="NotFound"):
        sns.create(f"{application}-other", TOKEN, "ann phone")
    with pytest.raises(ClientError):
        attributes(client, f"{application}/none")
    with pytest.raises(UnavailableError, match="NotFound"):
        sns.enable(f"{application}/none", TOKEN, "ann phone")
