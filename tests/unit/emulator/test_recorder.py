"""What IAM must allow, read from a function's requests."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localstack.emulator.declarations import Function
from localstack.emulator.httpmessages import Request, Response
from localstack.emulator.httpserver import serve
from localstack.emulator.recorder import Recorder, actions

pytestmark = pytest.mark.req("SHAPE-8")


def signed(service: str, target: str = "") -> list[tuple[str, str]]:
    credential = f"AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{service}/aws4_request, x"
    return [("Authorization", credential), ("X-Amz-Target", target)]


def function(name: str) -> Function:
    return Function(
        name=name,
        handler="f.f",
        code_uri=".",
        timeout_seconds=3,
        memory_mb=128,
        environment={"SOCKET": "http://127.0.0.1:9/dev", "OTHER": "http://example.com"},
        reserved_concurrency=None,
    )


def called(service: str, operation: str, body: Any) -> list[tuple[str, str]]:
    headers = signed(service, f"Service.{operation}")
    return list(actions(service, Request("POST", "/", headers, json.dumps(body).encode(), "")))


@pytest.mark.parametrize(
    ("service", "operation", "body", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "a"}, [("GetItem", "a")]),
        ("dynamodb", "Query", {"TableName": "a", "IndexName": "i"}, [("Query", "a/index/i")]),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"a": {}, "b": {}}},
            [("BatchGetItem", "a"), ("BatchGetItem", "b")],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "a"}}, {"Delete": {"TableName": "b"}}]},
            [("PutItem", "a"), ("DeleteItem", "b")],
        ),
        ("ssm", "GetParameter", {"Name": "/x"}, [("GetParameter", "/x")]),
        ("ssm", "GetParametersByPath", {"Path": "/x"}, [("GetParametersByPath", "/x")]),
    ],
)
def test_json_services_say_what_and_on_what(
    service: str, operation: str, body: Any, expected: list[tuple[str, str]]
) -> None:
    assert called(service, operation, body) == expected


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("PUT", "/b/k", ("PutObject", "b/*")),
        ("POST", "/b/k?uploads=", ("PutObject", "b/*")),
        ("DELETE", "/b/k?uploadId=1", ("AbortMultipartUpload", "b/*")),
        ("GET", "/b?list-type=2&prefix=x", ("ListBucket", "b")),
    ],
)
def test_s3_is_known_by_method_and_sub_resource(
    method: str, target: str, expected: tuple[str, str]
) -> None:
    assert list(actions("s3", Request(method, target, signed("s3"), b"", ""))) == [expected]


def test_the_management_api_is_one_action() -> None:
    request = Request("POST", "/dev/@connections/x", signed("execute-api"), b"", "")

    assert list(actions("execute-api", request)) == [("ManageConnections", "POST")]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("Action=CreatePlatformEndpoint&PlatformApplicationArn=arn%3Aapp", "arn:app"),
        (f"Action=Publish&TargetArn=arn%3Aapp%2F{uuid.UUID(int=7)}", "arn:app/*"),
        ("Action=ListTopics", "*"),
    ],
)
def test_a_notification_names_what_it_goes_to(form: str, expected: str) -> None:
    request = Request("POST", "/", signed("sns"), form.encode(), "")

    action = form.partition("&")[0].removeprefix("Action=")
    assert list(actions("sns", request)) == [(action, expected)]


def test_an_invocation_names_the_function() -> None:
    path = "/2015-03-31/functions/other/invocations"

    assert list(actions("lambda", Request("POST", path, signed("lambda"), b"{}", ""))) == [
        ("InvokeFunction", "other")
    ]


async def test_a_function_is_known_by_the_address_that_it_was_given(tmp_path: Path) -> None:
    service = await serve(lambda _request: Response(200, b"served"), "127.0.0.1", 0)
    port = service.sockets[0].getsockname()[1]
    recorder = Recorder(tmp_path / "calls")
    environment = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    attached = recorder.attach({"F": function("F")}, environment)["F"].environment
    await recorder.start()

    body = json.dumps({"TableName": "words"}).encode()
    for headers in (signed("dynamodb", "D.PutItem"), signed("dynamodb", "D.PutItem"), []):
        request = urllib.request.Request(attached["AWS_ENDPOINT_URL"], body, dict(headers))
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=5) as answer:
            assert answer.read() == b"served"
    recorder.close()
    service.close()

    assert (tmp_path / "calls").read_text() == "F dynamodb:PutItem words\n"
    assert attached["OTHER"] == "http://example.com"
    assert urlsplit(attached["SOCKET"]).path == "/dev"
    assert attached["SOCKET"] != "http://127.0.0.1:9/dev"
