"""REST APIs: proxy events (version 1.0), answers, failures."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from localstack.emulator.declarations import GatewayResponse
from localstack.emulator.httpserver import Request, Response
from localstack.emulator.quotas import TokenBucket
from localstack.emulator.restgateway import RestGateway
from localstack.emulator.runtime import ThrottledError
from localstack.emulator.template import RestApi, RestRoute
from tests.unit.emulator.local import Event, Functions

pytestmark = pytest.mark.req("SHAPE-2")

ROUTES = (
    RestRoute(method="ANY", path="/v1/{proxy+}", function="All"),
    RestRoute(method="GET", path="/v1/words/{word-id}", function="Word"),
    RestRoute(method="GET", path="/v1/words/first", function="First"),
    RestRoute(method="GET", path="/only", function="Only"),
)
API = RestApi(id="abc", stage="dev", routes=ROUTES)


def request(method: str = "GET", target: str = "/only", body: bytes = b"") -> Request:
    headers = [("Host", "127.0.0.1:8080"), ("User-Agent", "test"), ("X-A", "1"), ("X-A", "2")]
    return Request(method, target, headers, body, "127.0.0.1")


def named(name: str) -> Callable[[Event], dict[str, Any]]:
    return lambda _event: {"statusCode": 200, "body": name}


async def ask(answer: Any = None, api: RestApi = API, **options: Any) -> tuple[Response, Event]:
    functions = Functions(
        **{route.function: lambda _event: answer or {"statusCode": 200} for route in ROUTES}
    )
    asked = options.pop("asked", request())
    response = await RestGateway(api, functions, **options).answer(asked)
    assert response is not None
    return response, functions.events[0] if functions.events else {}


async def answered(answer: Any) -> Response:
    return (await ask(answer))[0]


@pytest.mark.parametrize(
    ("method", "target", "function"),
    [
        ("GET", "/v1/words/first", "First"),
        ("GET", "/v1/words/second", "Word"),
        ("POST", "/v1/words/second", "All"),
        ("DELETE", "/v1/a/b/c?x=/only", "All"),
        ("GET", "/only", "Only"),
    ],
)
async def test_the_most_specific_route_takes_a_request(
    method: str, target: str, function: str
) -> None:
    functions = Functions(**{route.function: named(route.function) for route in ROUTES})

    response = await RestGateway(API, functions).answer(request(method, target))

    assert response is not None
    assert response.body == function.encode()


async def test_a_request_is_logged_without_its_query_string() -> None:
    records: list[Mapping[str, Any]] = []
    gateway = RestGateway(API, Functions(Only=named("only")), log=records.append)

    await gateway.answer(request("GET", "/only?token=secret"))
    await gateway.answer(request("POST", "/only"))
    await gateway.answer(request("GET", "/of/nobody"))

    shown = [(one["kind"], one["method"], one["path"], one["status"]) for one in records]
    assert shown == [("access", "GET", "/only", 200), ("access", "POST", "/only", 403)]
    assert "secret" not in str(records)


@pytest.mark.parametrize("target", ["/", "/v1", "/v1/", "/other", "/only/more"])
async def test_a_path_of_no_resource_is_not_ours(target: str) -> None:
    assert await RestGateway(API, Functions()).answer(request("GET", target)) is None


async def test_a_method_that_the_resource_does_not_have_is_403() -> None:
    response, _ = await ask(asked=request("POST", "/only"))

    assert (response.status, response.body) == (403, b'{"message": "Missing Authentication Token"}')


async def test_the_event_has_the_documented_members() -> None:
    _, event = await ask(asked=request("POST", "/v1/words/a%20b?q=1&q=2&r=%C3%A9", b"text"))

    assert list(event) == [
        *("version", "resource", "path", "httpMethod", "headers", "multiValueHeaders"),
        *("queryStringParameters", "multiValueQueryStringParameters", "pathParameters"),
        *("stageVariables", "requestContext", "body", "isBase64Encoded"),
    ]
    assert event["resource"] == "/v1/{proxy+}"
    assert event["path"] == "/v1/words/a%20b"
    assert event["httpMethod"] == "POST"
    assert event["headers"]["X-A"] == "2"
    assert event["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["queryStringParameters"] == {"q": "2", "r": "é"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "r": ["é"]}
    assert (event["body"], event["isBase64Encoded"]) == ("text", False)


async def test_path_parameters_stay_percent_encoded_as_on_aws() -> None:
    """Seen on AWS: aws/aws-sam-cli#3524, localstack/localstack#7728."""
    _, event = await ask(asked=request("GET", "/v1/words/a%2Fb"))

    assert event["pathParameters"] == {"word-id": "a%2Fb"}


async def test_the_request_context_says_where_and_who() -> None:
    _, event = await ask()

    context = event["requestContext"]
    assert (context["apiId"], context["stage"], context["httpMethod"]) == ("abc", "dev", "GET")
    assert (context["path"], context["resourcePath"]) == ("/only", "/only")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "test"
    assert context["identity"]["user"] is None
    assert {"requestId", "requestTime", "requestTimeEpoch", "accountId"} < context.keys()


async def test_what_there_is_none_of_is_null() -> None:
    _, event = await ask()

    for name in ("queryStringParameters", "pathParameters", "stageVariables", "body"):
        assert event[name] is None


async def test_stage_variables_are_passed_on() -> None:
    _, event = await ask(api=replace(API, stage_variables={"mood": "calm"}))

    assert event["stageVariables"] == {"mood": "calm"}


async def test_a_body_that_is_no_text_is_in_base64() -> None:
    _, event = await ask(asked=request("POST", "/v1/x", b"\xff\x00"))

    assert (event["body"], event["isBase64Encoded"]) == ("/wA=", True)


async def test_the_answer_has_status_headers_and_body() -> None:
    response = await answered(
        {
            "statusCode": "201",
            "headers": {"X-One": 1, "X-Yes": True, "Set-Cookie": "c=3", "Content-Length": "99"},
            "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
            "body": "é",
        }
    )

    assert (response.status, response.body) == (201, "é".encode())
    assert list(response.headers) == [
        ("X-One", "1"),
        ("X-Yes", "true"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("content-type", "application/json"),
    ]


async def test_a_base64_body_is_decoded() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    response = await answered({"statusCode": 200, "body": body, "isBase64Encoded": True})

    assert response.body == b"\x00\xff"


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        [1],
        {"status": 200},
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"X": "1\r\nY: 2"}},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
    ],
)
async def test_a_malformed_answer_is_502(answer: Any) -> None:
    response = await answered(answer)

    assert (response.status, response.body) == (502, b'{"message": "Internal server error"}')


async def test_a_function_that_raises_is_502() -> None:
    def fail(_event: Event) -> None:
        raise RuntimeError("secret detail")

    response = await RestGateway(API, Functions(Only=fail)).answer(request())

    assert response is not None
    assert (response.status, b"secret" in response.body) == (502, False)


async def test_a_function_that_takes_too_long_is_504() -> None:
    async def wait(_event: Event) -> None:
        await asyncio.sleep(20)

    gateway = RestGateway(API, Functions(Only=wait), timeout_seconds=0.01)
    response = await gateway.answer(request())

    assert response is not None
    assert json.loads(response.body) == {"message": "Endpoint request timed out"}
    assert response.status == 504


async def test_a_throttled_function_is_429() -> None:
    def throttle(_event: Event) -> None:
        raise ThrottledError("Only")

    response = await RestGateway(API, Functions(Only=throttle)).answer(request())

    assert response is not None
    assert response.status == 429


async def test_requests_over_the_shared_rate_are_429() -> None:
    gateway = RestGateway(API, Functions(), requests=TokenBucket(0.001, 1))
    responses = [await gateway.answer(request()) for _ in range(2)]

    assert [one.status for one in responses if one is not None] == [200, 429]


@pytest.mark.parametrize(("size", "status"), [(10 * 1024 * 1024, 200), (10 * 1024 * 1024 + 1, 413)])
async def test_a_body_has_at_most_10_mb(size: int, status: int) -> None:
    response, _ = await ask(asked=request("POST", "/v1/x", b"x" * size))

    assert response.status == status


@pytest.mark.req("APP-17")
async def test_the_template_says_what_the_gateway_answers_by_itself() -> None:
    own = GatewayResponse(
        status=429,
        headers={"Content-Type": "application/problem+json", "Retry-After": "1"},
        body='{"code":"rate_limited","trace_id":"$context.requestId"}',
    )

    response, _ = await ask(
        api=replace(API, responses={"THROTTLED": own}), requests=TokenBucket(rate=0.001, burst=0)
    )

    document = json.loads(response.body)
    assert response.status == 429
    assert document["code"] == "rate_limited"
    assert len(document["trace_id"]) == 36
    assert dict(response.headers) == own.headers
