"""What MiniStack lacks: when one of these fails, a change of changes.py can go."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping

import boto3
import pytest
import websockets
import websockets.sync.client
from botocore.exceptions import ClientError

from tests.deployed.changes import CHANGES, MISSING_TYPES, NOT_CHANGED, ROOT
from tests.deployed.stack import Stack
from tests.e2e.client import call

pytestmark = pytest.mark.timeout(600)  # whoever is first deploys, and who is last destroys
full = pytest.mark.full
BAD_TOKEN = {"Authorization": "Bearer none"}
SOCKET = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "WEBSOCKET"}}


def created(name: str, resources: Mapping[str, object]) -> str:
    """Deploys a template of its own; what became of it."""
    cloudformation = boto3.client("cloudformation")
    body = json.dumps({"Resources": resources})
    cloudformation.create_stack(StackName=name, TemplateBody=body)
    deadline = time.monotonic() + 30
    while True:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            return " ".join(str(event.get("ResourceStatusReason")) for event in events)
        assert time.monotonic() < deadline
        time.sleep(0.05)


@full
@pytest.mark.parametrize("kind", [*MISSING_TYPES, "AWS::CodeDeploy::DeploymentGroup"])
def test_types_that_it_does_not_know(aws: str, kind: str) -> None:
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        created("types", {"One": {"Type": kind, "Properties": {}}})


@full
def test_alarms_with_metric_math(aws: str) -> None:
    metrics = [{"Id": "all", "Expression": "1+1"}]
    properties = {"Metrics": metrics, "ComparisonOperator": "LessThanThreshold"}
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {**properties, "EvaluationPeriods": 1}}

    assert "(metric math) is not supported" in created("alarm", {"Alarm": alarm})


@full
def test_any_method_of_an_openapi_body(aws: str) -> None:
    operation = {"x-amazon-apigateway-any-method": {"responses": {}}}
    body = {"swagger": "2.0", "info": {"title": "any"}, "paths": {"/a": operation}}
    created("any", {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}}})

    apis = boto3.client("apigateway")
    (api,) = [one["id"] for one in apis.get_rest_apis()["items"] if one["name"] == "any"]
    (resource,) = [one for one in apis.get_resources(restApiId=api)["items"] if one["path"] == "/a"]
    assert not resource.get("resourceMethods")


@full
def test_an_authorizer_without_identity_source(aws: str) -> None:
    own = {"AuthorizerType": "REQUEST", "Name": "one", "AuthorizerUri": "arn:aws:lambda:x"}
    authorizer = {
        "Type": "AWS::ApiGatewayV2::Authorizer",
        "Properties": {"ApiId": {"Ref": "Socket"}, **own},
    }
    created("authorizer", {"Socket": SOCKET, "Authorizer": authorizer})

    apis = boto3.client("apigatewayv2")
    found = [
        one["IdentitySource"]
        for api in apis.get_apis()["Items"]
        for one in apis.get_authorizers(ApiId=api["ApiId"])["Items"]
        if one["Name"] == "one"
    ]
    assert found == [["$request.header.Authorization"]]


@full
def test_an_authorizer_that_says_unauthorized(stack: Stack) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        websockets.sync.client.connect(stack.websocket_url, additional_headers=BAD_TOKEN)

    assert refused.value.response.status_code == 500


@full
def test_gateway_responses(stack: Stack) -> None:
    assert call(stack.url, "GET", "/nothing").body == {"message": "Missing Authentication Token"}


@full
def test_kafka_triggers(stack: Stack) -> None:
    mappings = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]

    assert mappings
    assert not any(one.get("Topics") for one in mappings)


def test_the_documents_list_what_is_changed_and_no_more() -> None:
    section = (
        (ROOT / "docs" / "local_cloud.md").read_text().partition("## Deployed to MiniStack")[2]
    )

    rows = re.findall(r"^\| ([^|]+?) \|", section.partition("\n## ")[0], re.MULTILINE)

    assert rows[1:] == [*CHANGES, *NOT_CHANGED]
