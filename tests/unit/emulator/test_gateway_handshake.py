"""gateway.md F1 and F3, F6 cases 1 to 5: the life of a connection begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from localstack.emulator.quotas import Settings
from localstack.emulator.runtime import ThrottledError
from tests.unit.emulator.local import Event, Functions, echo_api, http, local, until

pytestmark = pytest.mark.req("SHAPE-2")


def fail(message: str) -> Any:
    def raise_it(_event: Event) -> None:
        raise RuntimeError(message)

    return raise_it


async def test_a_connect_that_answers_2xx_upgrades() -> None:
    async with local() as cloud:
        assert await cloud.refusal() == 101


@pytest.mark.parametrize("status", [301, 400, 401, 403, 501])
async def test_any_other_status_of_connect_is_the_status_of_the_handshake(status: int) -> None:
    async with local(Functions(DoorFunction=lambda _event: {"statusCode": status})) as cloud:
        assert await cloud.refusal() == status


async def test_handshakes_and_endings_are_logged_without_the_query_string() -> None:
    records: list[Mapping[str, Any]] = []
    async with local(log=records.append) as cloud:
        async with cloud.connect("?token=secret"):
            pass
        await until(lambda: len(records) == 2)
        cloud.functions.functions["DoorFunction"] = fail("no")
        await cloud.refusal("?token=secret")

    opened, closed, refused = records
    assert {one["kind"] for one in records} == {"access"}
    assert [one["method"] for one in records] == ["CONNECT", "DISCONNECT", "CONNECT"]
    assert [one["status"] for one in records] == [101, 1000, 502]
    assert opened["connection_id"] == closed["connection_id"] != refused["connection_id"]
    assert "secret" not in str(records)


async def test_a_connect_that_raises_is_502() -> None:
    async with local(Functions(DoorFunction=fail("no"))) as cloud:
        assert await cloud.refusal() == 502


@pytest.mark.parametrize("answer", [None, "ok", [], {}, {"statusCode": "yes"}])
async def test_a_malformed_answer_of_connect_is_502(answer: Any) -> None:
    async with local(Functions(DoorFunction=lambda _event: answer)) as cloud:
        assert await cloud.refusal() == 502


async def test_a_throttled_connect_function_is_502() -> None:
    def throttle(_event: Event) -> None:
        raise ThrottledError("DoorFunction")

    async with local(Functions(DoorFunction=throttle)) as cloud:
        assert await cloud.refusal() == 502


async def test_without_a_connect_route_the_upgrade_succeeds_and_nothing_is_invoked() -> None:
    api = echo_api()
    routes = {key: route for key, route in api.routes.items() if key != "$connect"}
    async with local(api=echo_api(routes=routes)) as cloud, cloud.connect():
        assert cloud.functions.events == []


async def test_another_stage_is_forbidden() -> None:
    async with local() as cloud:
        for path in ("/", "/prod", "/dev/more"):
            headers = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
            status, _, _ = await http(cloud.host, "GET", path, headers=headers)
            assert status == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "short"},
        {"Upgrade": "h2c"},
    ],
)
async def test_what_is_no_websocket_handshake_is_400_and_invokes_nothing(
    wrong: dict[str, str],
) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **wrong,
    }
    async with local() as cloud:
        status, _, _ = await http(cloud.host, "GET", "/dev", headers=headers)

        assert (status, cloud.functions.events) == (400, [])


async def test_a_request_without_upgrade_is_426() -> None:
    async with local() as cloud:
        status, _, _ = await http(cloud.host, "GET", "/dev")

        assert status == 426


async def test_connects_over_the_quota_are_429() -> None:
    """F6 case 17: new connections have a rate and a burst of their own."""
    async with local(settings=Settings(connects_per_second=0.001, connect_burst=2)) as cloud:
        assert [await cloud.refusal() for _ in range(3)] == [101, 101, 429]


async def test_the_query_keys_are_absent_without_a_query() -> None:
    async with local() as cloud:
        await cloud.refusal()

    event = cloud.functions.of("CONNECT")[0]
    assert "queryStringParameters" not in event
    assert "multiValueQueryStringParameters" not in event
    assert "stageVariables" not in event


async def test_of_a_repeated_key_the_last_value_and_all_values_are_given() -> None:
    async with local() as cloud:
        await cloud.refusal("?a=1&b=%C3%A9+x&a=2&c=")

    event = cloud.functions.of("CONNECT")[0]
    assert event["queryStringParameters"] == {"a": "2", "b": "é x", "c": ""}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["é x"], "c": [""]}


async def test_the_connect_event_has_the_shape_of_a_captured_one() -> None:
    async with local(api=echo_api(stage_variables={"mood": "calm"})) as cloud:
        await cloud.refusal(user_agent_header="test/1")

    event = cloud.functions.of("CONNECT")[0]
    assert list(event) == [
        *("headers", "multiValueHeaders", "requestContext", "stageVariables", "isBase64Encoded")
    ]
    assert {"Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"} < event["headers"].keys()
    assert not {"Connection", "Upgrade"} & event["headers"].keys()
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["multiValueHeaders"]["X-Forwarded-Port"] == ["443"]
    context = event["requestContext"]
    assert list(context) == [
        *("routeKey", "eventType", "extendedRequestId", "requestTime", "messageDirection"),
        *("stage", "connectedAt", "requestTimeEpoch", "identity", "requestId", "domainName"),
        *("connectionId", "apiId"),
    ]
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "test/1"}
    assert context["extendedRequestId"] == context["requestId"]
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])


async def test_ids_have_sixteen_characters_and_end_in_an_equals_sign() -> None:
    """F3: a UUID would hide the bug of an id that is not URL-encoded."""
    async with local() as cloud:
        await cloud.refusal()

    context = cloud.functions.of("CONNECT")[0]["requestContext"]
    for name in ("connectionId", "requestId"):
        assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", context[name])


async def test_without_a_user_agent_there_is_no_such_key() -> None:
    async with local() as cloud:
        await cloud.refusal(user_agent_header=None)

    assert "userAgent" not in cloud.functions.of("CONNECT")[0]["requestContext"]["identity"]


async def test_the_subprotocol_is_the_one_that_the_function_returns() -> None:
    headers = {"Sec-WebSocket-Protocol": "b"}
    functions = Functions(DoorFunction=lambda _event: {"statusCode": 200, "headers": headers})
    async with local(functions) as cloud, cloud.connect(subprotocols=["a", "b"]) as client:
        assert client.subprotocol == "b"


async def test_no_subprotocol_is_echoed_when_the_function_returns_none() -> None:
    async with local() as cloud, cloud.connect(subprotocols=["a", "b"]) as client:
        assert client.subprotocol is None


async def test_compression_is_not_agreed_on() -> None:
    async with local() as cloud, cloud.connect(compression="deflate") as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
