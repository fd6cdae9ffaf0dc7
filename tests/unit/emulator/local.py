"""A gateway in this process, in front of functions that are plain Python."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from localstack.emulator.gateway import Gateway, Log
from localstack.emulator.httpserver import serve
from localstack.emulator.invocation import Invocation
from localstack.emulator.quotas import Settings
from localstack.emulator.stages import Stages
from localstack.emulator.template import WebSocketApi, load

Event = dict[str, Any]
Answer = Callable[[Event], Any]
ECHO = Path(__file__).with_name("echo.yaml")
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/execute-api/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=0"
}


def echo_api(**changes: Any) -> WebSocketApi:
    """The API of echo.yaml without its authorizer, its stage variables and its throttle."""
    (api,) = load(ECHO).websocket_apis
    plain: dict[str, Any] = {"authorizer": None, "stage_variables": {}, "rate": None, "burst": None}
    return replace(api, **{**plain, **changes})


class Functions:
    """Has the signature of Runtime.invoke; a function that is not given answers 200."""

    def __init__(self, **functions: Answer) -> None:
        self.functions = functions
        self.events: list[Event] = []

    async def invoke(self, function: str, payload: bytes) -> Invocation:
        event = json.loads(payload)
        self.events.append(event)
        try:
            result = self.functions.get(function, lambda _event: {"statusCode": 200})(event)  # type: ignore[no-untyped-call]
            if inspect.isawaitable(result):
                result = await result
        except RuntimeError as error:
            failure = {"errorMessage": str(error), "errorType": "RuntimeError"}
            return Invocation(json.dumps(failure).encode(), "Unhandled")
        return Invocation(json.dumps(result).encode())

    def of(self, event_type: str) -> list[Event]:
        """The WebSocket events of one type so far."""
        return [one for one in self.events if kind(one) == event_type]

    async def wait_for(self, event_type: str) -> Event:
        """The first WebSocket event of a type, which is still to come."""
        await until(lambda: bool(self.of(event_type)))
        return self.of(event_type)[0]


def kind(event: Event) -> str:
    return str(event.get("requestContext", {}).get("eventType", ""))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass
class Local:
    """What a test talks to."""

    gateway: Gateway
    functions: Functions
    host: str

    def connect(self, query: str = "", **options: Any) -> connect:
        url = f"ws://{self.host}/{self.gateway.api.stage}{query}"
        plain = {"compression": None, "ping_interval": None, "proxy": None, "max_size": None}
        return connect(url, **{**plain, **options})

    async def refusal(self, query: str = "", **options: Any) -> int:
        try:
            async with self.connect(query, **options):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    async def manage(
        self,
        method: str,
        connection_id: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] = SIGNED,
        stage: str = "dev",
    ) -> tuple[int, dict[str, str], bytes]:
        """A request to the management API; the id goes into the path as it is given."""
        path = f"/{stage}/@connections/{connection_id}"
        return await http(self.host, method, path, body, headers)


@asynccontextmanager
async def local(
    functions: Functions | None = None,
    settings: Settings | None = None,
    api: WebSocketApi | None = None,
    log: Log = lambda _record: None,
) -> AsyncIterator[Local]:
    functions = functions or Functions()
    gateway = Gateway(api or echo_api(), functions, port=443, settings=settings, log=log)
    stages = Stages([gateway])
    server = await serve(stages.handle, "127.0.0.1", 0, upgrade=stages.upgrade)
    gateway.start()
    try:
        yield Local(gateway, functions, f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        await gateway.stop()


async def http(
    host: str, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request by hand, so that nothing in it is normalised."""
    reader, writer = await asyncio.open_connection(*host.split(":"))
    given = {"Host": host, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in {**given, **(headers or {})}.items()]
    writer.write("\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    pairs = (field.partition(": ") for field in fields)
    return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}, content


async def only_connection(local: Local) -> str:
    """The id of the one connection there is."""
    await until(lambda: len(local.gateway.connections) == 1)
    return next(iter(local.gateway.connections))


async def closing(client: ClientConnection) -> tuple[int | None, str | None]:
    """Code and reason that the client sees when the gateway closes."""
    async with asyncio.timeout(30):
        await client.wait_closed()
    return client.close_code, client.close_reason


async def disconnected(local: Local) -> tuple[int, str]:
    """Code and reason of the first `$disconnect` event, which may be still to come."""
    context = (await local.functions.wait_for("DISCONNECT"))["requestContext"]
    return context["disconnectStatusCode"], context["disconnectReason"]
