from __future__ import annotations

import asyncio
import json

import pytest

from localstack.emulator.httpserver import Request, Response
from localstack.emulator.invocation import Invocation
from localstack.emulator.invoke_api import InvokeApi
from localstack.emulator.runtime import ThrottledError
from tests.unit.emulator.local import until

pytestmark = pytest.mark.req("SHAPE-2")


class Runtime:
    """Two functions: one says what it got, the other is throttled."""

    def __init__(self, result: Invocation | None = None) -> None:
        self.invoked: list[tuple[str, bytes]] = []
        self._result = result

    def workers(self) -> dict[str, list[int]]:
        return {"Echo": [], "Busy": []}

    async def invoke(self, function: str, payload: bytes) -> Invocation:
        await asyncio.sleep(0)
        if function == "Busy":
            raise ThrottledError(function)
        self.invoked.append((function, payload))
        return self._result or Invocation(payload)


async def ask(
    runtime: Runtime, name: str = "Echo", body: bytes = b'{"a":1}', kind: str = ""
) -> Response:
    headers = [("X-Amz-Invocation-Type", kind)] if kind else []
    path = f"/2015-03-31/functions/{name}/invocations"
    api = InvokeApi(runtime, {"demo-echo": "Echo"})  # type: ignore[arg-type]
    return await api.handle(Request("POST", path, headers, body, "127.0.0.1"))


@pytest.mark.parametrize(
    "name",
    [
        "Echo",
        "demo-echo",
        "arn:aws:lambda:us-east-1:000000000000:function:Echo",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3AEcho",
    ],
)
async def test_a_function_answers_by_its_name_or_arn(name: str) -> None:
    answer = await ask(Runtime(), name)

    assert (answer.status, answer.body) == (200, b'{"a":1}')
    assert dict(answer.headers)["x-amz-executed-version"] == "$LATEST"


async def test_a_function_that_failed_answers_200_with_a_header() -> None:
    failure = Invocation(b'{"errorMessage":"no"}', "Crash")

    answer = await ask(Runtime(failure))

    assert (answer.status, answer.body) == (200, b'{"errorMessage":"no"}')
    assert dict(answer.headers)["x-amz-function-error"] == "Unhandled"


async def test_an_event_is_accepted_before_it_is_handled() -> None:
    runtime = Runtime()

    answer = await ask(runtime, kind="Event")

    assert (answer.status, runtime.invoked) == (202, [])
    await until(lambda: runtime.invoked == [("Echo", b'{"a":1}')])


async def test_a_dry_run_invokes_nothing() -> None:
    runtime = Runtime()

    assert (await ask(runtime, kind="DryRun")).status == 204
    assert runtime.invoked == []


async def test_without_a_body_the_event_is_an_empty_object() -> None:
    runtime = Runtime()

    await ask(runtime, body=b"")

    assert runtime.invoked == [("Echo", b"{}")]


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("Nobody", 404, "ResourceNotFoundException"),
        ("Echo/versions", 404, "ResourceNotFoundException"),
        ("Busy", 429, "TooManyRequestsException"),
    ],
)
async def test_what_cannot_be_invoked_is_refused_as_lambda_does(
    name: str, status: int, kind: str
) -> None:
    answer = await ask(Runtime(), name)

    assert answer.status == status
    assert dict(answer.headers)["x-amzn-errortype"] == kind
    assert set(json.loads(answer.body)) == {"Type", "Message"}
