"""gateway.md F2, F6 cases 6 to 9, 17 and 19: which function a frame goes to, what comes back."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from localstack.emulator.quotas import Settings
from localstack.emulator.runtime import ThrottledError
from localstack.emulator.selection import RouteSelection
from localstack.emulator.template import Route
from tests.unit.emulator.local import Event, Functions, echo_api, local, until

pytestmark = pytest.mark.req("SHAPE-2")

ID = r"[A-Za-z0-9_-]{15}="


def complaint(message: str) -> re.Pattern[str]:
    """A space behind the first colon and the commas, none behind the later colons."""
    return re.compile(rf'{{"message": "{message}", "connectionId":"({ID})", "requestId":"{ID}"}}')


def echo(event: Event) -> dict[str, Any]:
    return {"statusCode": 200, "body": event["body"]}


def raising(_event: Event) -> None:
    raise RuntimeError("no")


async def answer(functions: Functions, frame: str, **options: Any) -> str:
    async with local(functions, **options) as cloud, cloud.connect() as client:
        await client.send(frame)
        return str(await client.recv())


@pytest.mark.parametrize(
    ("expression", "body", "key"),
    [
        ("$request.body.action", '{"action": "join"}', "join"),
        ("$request.body.a.b", '{"a": {"b": "join"}}', "join"),
        ("${request.body.a}/${request.body.b}", '{"a": "x", "b": "y"}', "x/y"),
        ("${request.body.a}-", '{"a": "x"}', "x-"),
        ("\\$default", '{"a": "x"}', "$default"),
        ("$request.body.action", '{"other": 1}', ""),
        ("$request.body.a.b", '{"a": "text"}', ""),
        ("${request.body.a}/${request.body.b}", '{"b": "y"}', "/y"),
        ("$request.body.action", '{"action": 5}', "5"),
        ("$request.body.action", '{"action": 1.5}', "1.5"),
        ("$request.body.action", '{"action": true}', "true"),
        ("$request.body.action", '{"action": null}', ""),
        ("$request.body.action", '{"action": ["a", 1]}', '["a",1]'),
        ("$request.body.action", '{"action": "$request.body.x"}', "$request.body.x"),
        ("$request.body.action", '"text"', ""),
        ("$request.body.action", "[1]", ""),
        ("$request.body.action", "hello", None),
        ("$request.body.action", "[" * 100_000, None),
    ],
)
def test_the_selection_expression_finds_the_key(
    expression: str, body: str, key: str | None
) -> None:
    """Nested, missing, numbers, booleans, not JSON; the value itself is not evaluated again."""
    assert RouteSelection(expression).key(body) == key


async def test_the_event_of_a_frame_has_no_headers_and_no_query() -> None:
    functions = Functions(EchoFunction=echo)
    async with local(functions) as cloud, cloud.connect("?a=1") as client:
        await client.send('{"action": "echo", "é": "\\u0000"}')
        await client.recv()

    (event,) = functions.of("MESSAGE")
    (connect,) = functions.of("CONNECT")
    assert list(event) == ["requestContext", "isBase64Encoded", "body"]
    assert event["body"] == '{"action": "echo", "é": "\\u0000"}'
    context = event["requestContext"]
    assert context["routeKey"] == "echo"
    assert re.fullmatch(ID, context["messageId"])
    assert context["requestId"] != connect["requestContext"]["requestId"]
    for name in ("connectionId", "connectedAt", "identity", "domainName", "apiId", "stage"):
        assert context[name] == connect["requestContext"][name]


async def test_a_two_way_route_sends_the_body_as_it_is() -> None:
    functions = Functions(EchoFunction=lambda _event: {"statusCode": 500, "body": "any text"})

    assert await answer(functions, '{"action": "echo"}') == "any text"


@pytest.mark.parametrize("key", ["shout", "whisper"])
async def test_without_a_route_response_nothing_comes_back(key: str) -> None:
    """`shout` has the selection expression but no RouteResponse, `whisper` neither."""
    async with local(Functions(EchoFunction=echo)) as cloud, cloud.connect() as client:
        await client.send(json.dumps({"action": key}))
        await until(lambda: len(cloud.functions.of("MESSAGE")) == 1)
        await client.send('{"action": "echo"}')

        assert json.loads(await client.recv()) == {"action": "echo"}


@pytest.mark.parametrize("frame", ['{"action": "dance"}', "not json", "{}"])
async def test_what_no_route_takes_goes_to_default(frame: str) -> None:
    api = echo_api()
    default = Route(key="$default", function="EchoFunction", two_way=True, timeout_seconds=29)
    api = echo_api(routes={**api.routes, "$default": default})
    functions = Functions(EchoFunction=echo)

    assert await answer(functions, frame, api=api) == frame
    assert functions.of("MESSAGE")[0]["requestContext"]["routeKey"] == "$default"


@pytest.mark.parametrize("frame", ['{"action": "dance"}', "not json", ""])
async def test_without_default_the_answer_is_forbidden_byte_for_byte(frame: str) -> None:
    async with local() as cloud, cloud.connect() as client:
        await client.send(frame)
        found = complaint("Forbidden").fullmatch(str(await client.recv()))

        assert found
        assert found[1] in cloud.gateway.connections
        assert cloud.functions.of("MESSAGE") == []


async def test_a_route_key_with_a_dollar_can_be_selected_by_a_client() -> None:
    """The event says MESSAGE: a function must look at eventType."""
    async with local() as cloud, cloud.connect() as client:
        await client.send('{"action": "$disconnect"}')
        event = await cloud.functions.wait_for("MESSAGE")

        assert event["requestContext"]["routeKey"] == "$disconnect"


@pytest.mark.parametrize(
    "function",
    [raising, lambda _event: None, lambda _event: {"statusCode": 200, "body": {"not": "text"}}],
)
async def test_a_failure_is_an_internal_server_error_byte_for_byte(function: Any) -> None:
    text = await answer(Functions(EchoFunction=function), '{"action": "echo"}')

    assert complaint("Internal server error").fullmatch(text)


async def test_a_function_that_is_throttled_is_an_internal_server_error() -> None:
    def throttle(_event: Event) -> None:
        raise ThrottledError("EchoFunction")

    text = await answer(Functions(EchoFunction=throttle), '{"action": "echo"}')

    assert complaint("Internal server error").fullmatch(text)


async def test_a_one_way_route_tells_of_its_failure_too() -> None:
    text = await answer(Functions(EchoFunction=raising), '{"action": "whisper"}')

    assert complaint("Internal server error").fullmatch(text)


async def test_a_function_that_takes_too_long_is_an_internal_server_error() -> None:
    """29 s by default, and whatever IntegrationTimeout says: `shout` has 50 ms."""

    async def sleep(_event: Event) -> None:
        await asyncio.sleep(20)

    text = await answer(Functions(EchoFunction=sleep), '{"action": "shout"}')

    assert complaint("Internal server error").fullmatch(text)


async def test_the_socket_stays_open_after_errors() -> None:
    async with local(Functions(EchoFunction=echo)) as cloud, cloud.connect() as client:
        await client.send("nothing")
        await client.recv()
        await client.send('{"action": "echo"}')

        assert await client.recv() == '{"action": "echo"}'


async def test_two_frames_of_one_client_overlap_and_are_answered_as_they_end() -> None:
    """F6 case 19, with the order of F2: not tied to the order of the frames."""
    gate = asyncio.Event()

    async def wait_for_the_second(event: Event) -> dict[str, Any]:
        if "first" in event["body"]:
            await gate.wait()
        gate.set()
        return echo(event)

    functions = Functions(EchoFunction=wait_for_the_second)
    async with local(functions) as cloud, cloud.connect() as client:
        await client.send('{"action": "echo", "n": "first"}')
        await client.send('{"action": "echo", "n": "second"}')
        answers = [json.loads(await client.recv())["n"] for _ in range(2)]

    assert sorted(answers) == ["first", "second"]


async def test_a_client_that_floods_is_slowed_down_and_loses_nothing() -> None:
    """Beyond 256 frames in flight no more is read, so memory stays bounded."""
    gate = asyncio.Event()
    running = 0

    async def count(event: Event) -> dict[str, Any]:
        nonlocal running
        running += 1
        await gate.wait()
        return echo(event)

    async with local(Functions(EchoFunction=count)) as cloud, cloud.connect() as client:
        padding = "x" * 1000
        frames = [json.dumps({"action": "echo", "n": n, "pad": padding}) for n in range(2000)]
        sending = asyncio.create_task(_send(client, frames))
        await until(lambda: running >= 256)
        await asyncio.wait([sending], timeout=0.3)
        held = running
        gate.set()
        numbers = {json.loads(await client.recv())["n"] for _ in frames}
        await sending

    assert held < 1000
    assert numbers == set(range(2000))


async def _send(client: Any, frames: list[str]) -> None:
    for frame in frames:
        await client.send(frame)


async def test_frames_over_the_shared_rate_are_answered_with_too_many_requests() -> None:
    """F6 case 17; the text is [?] in F2."""
    settings = Settings(requests_per_second=0.001, request_burst=1)
    functions = Functions(EchoFunction=echo)
    async with local(functions, settings) as cloud, cloud.connect() as client:
        for _ in range(2):
            await client.send('{"action": "echo"}')
        answers = {str(await client.recv()) for _ in range(2)}

        assert any(complaint("Too Many Requests").fullmatch(text) for text in answers)
        assert '{"action": "echo"}' in answers


async def test_the_stages_own_rate_throttles_too() -> None:
    api = echo_api(rate=0.001, burst=1)
    async with local(Functions(EchoFunction=echo), api=api) as cloud, cloud.connect() as client:
        for _ in range(2):
            await client.send('{"action": "echo"}')
        answers = [str(await client.recv()) for _ in range(2)]

        assert sum("Too Many Requests" in text for text in answers) == 1
