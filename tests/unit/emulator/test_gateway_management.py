"""gateway.md F4, F6 cases 10, 14 to 18: the management API."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from websockets.asyncio.client import ClientConnection

from localstack.emulator.quotas import Settings
from tests.unit.emulator.local import (
    SIGNED,
    Event,
    Functions,
    Local,
    closing,
    http,
    local,
    only_connection,
    until,
)

pytestmark = pytest.mark.req("SHAPE-2")


@asynccontextmanager
async def connected(
    settings: Settings | None = None,
) -> AsyncIterator[tuple[Local, ClientConnection, str]]:
    async with local(settings=settings) as cloud, cloud.connect() as client:
        yield cloud, client, await only_connection(cloud)


def boto(cloud: Local) -> Any:
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=f"http://{cloud.host}/dev",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


async def test_a_post_reaches_the_client_as_a_text_frame() -> None:
    async with connected() as (cloud, client, connection_id):
        status, _, body = await cloud.manage("POST", connection_id, "héllo\n".encode())

        assert (status, body) == (200, b"")
        assert await client.recv() == "héllo\n"


@pytest.mark.parametrize("size", [0, 125, 126, 32 * 1024, 32 * 1024 + 1, 128 * 1024])
async def test_posts_up_to_128_kb_arrive_whole(size: int) -> None:
    async with connected() as (cloud, client, connection_id):
        status, _, _ = await cloud.manage("POST", connection_id, b"x" * size)

        assert status == 200
        assert await client.recv() == "x" * size


async def test_a_larger_post_is_413() -> None:
    async with connected() as (cloud, _, connection_id):
        body = b"x" * (128 * 1024 + 1)
        status, headers, content = await cloud.manage("POST", connection_id, body)

        assert status == 413
        assert headers["x-amzn-errortype"] == "PayloadTooLargeException"
        assert "message" in json.loads(content)


async def test_everything_in_the_path_may_be_percent_encoded() -> None:
    async with connected() as (cloud, client, connection_id):
        path = "/%64ev/%40connections/" + connection_id.replace("=", "%3D")
        status, _, _ = await http(cloud.host, "POST", path, b"one", SIGNED)

        assert status == 200
        assert await client.recv() == "one"


async def test_a_connection_can_be_described() -> None:
    async with connected() as (cloud, _, connection_id):
        status, _, content = await cloud.manage("GET", connection_id)

        document = json.loads(content)
        assert status == 200
        assert list(document) == ["connectedAt", "identity", "lastActiveAt"]
        assert document["identity"]["sourceIp"] == "127.0.0.1"
        assert "websockets" in document["identity"]["userAgent"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["connectedAt"])


async def test_last_active_moves_with_messages_in_and_out() -> None:
    async def last_active() -> datetime:
        _, _, content = await cloud.manage("GET", connection_id)
        return datetime.fromisoformat(json.loads(content)["lastActiveAt"])

    async with connected() as (cloud, client, connection_id):
        start = await last_active()
        await asyncio.sleep(0.02)
        await client.send('{"action": "whisper"}')
        await until(lambda: bool(cloud.functions.of("MESSAGE")))
        after_in = await last_active()
        await asyncio.sleep(0.02)
        await cloud.manage("POST", connection_id, b"hello")
        after_out = await last_active()

    assert start < after_in < after_out


async def test_a_delete_closes_the_connection() -> None:
    """1000 "Connection Closed Normally": captured in boto/boto3#3789."""
    async with connected() as (cloud, client, connection_id):
        status, _, content = await cloud.manage("DELETE", connection_id)
        code, _ = await closing(client)
        event = await cloud.functions.wait_for("DISCONNECT")

        assert (status, content, code) == (204, b"", 1000)
        assert event["requestContext"]["disconnectStatusCode"] == 1000
        assert event["requestContext"]["disconnectReason"] == "Connection Closed Normally"


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_closed_connection_is_gone(method: str) -> None:
    async with connected() as (cloud, client, connection_id):
        await client.close()
        await until(lambda: not cloud.gateway.connections)
        status, headers, content = await cloud.manage(method, connection_id, b"x")

        assert (status, content) == (410, b"")
        assert headers["x-amzn-errortype"] == "GoneException"


async def test_right_after_a_delete_it_is_gone() -> None:
    async with connected() as (cloud, _, connection_id):
        await cloud.manage("DELETE", connection_id)

        assert (await cloud.manage("POST", connection_id, b"x"))[0] == 410


async def test_during_its_own_connect_it_is_gone() -> None:
    seen = []

    async def post(event: Event) -> dict[str, Any]:
        connection_id = event["requestContext"]["connectionId"]
        seen.append((await cloud.manage("POST", connection_id, b"early"))[0])
        return {"statusCode": 200}

    async with local(Functions(DoorFunction=post)) as cloud, cloud.connect():
        assert seen == [410]


@pytest.mark.parametrize(
    "connection_id", ["abc", "b7bcf5a2-1b1c-4b5e-9d3c-2f6a2b3c4d5e", "x/y", "%00"]
)
async def test_a_malformed_id_is_400(connection_id: str) -> None:
    async with local() as cloud:
        status, headers, content = await cloud.manage("POST", connection_id)

        assert status == 400
        assert headers["x-amzn-errortype"] == "BadRequestException"
        assert json.loads(content)["message"].startswith("Invalid connectionId: ")


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer token", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/s3/aws4_request"],
)
async def test_a_request_that_is_not_signed_for_execute_api_is_403(
    authorization: str | None,
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with connected() as (cloud, _, connection_id):
        status, given, _ = await cloud.manage("POST", connection_id, b"x", headers=headers)

        assert status == 403
        assert given["x-amzn-errortype"] == "ForbiddenException"


async def test_another_stage_is_403() -> None:
    async with connected() as (cloud, _, connection_id):
        assert (await cloud.manage("POST", connection_id, b"x", stage="prod"))[0] == 403


async def test_another_method_is_403() -> None:
    async with connected() as (cloud, _, connection_id):
        assert (await cloud.manage("PUT", connection_id, b"x"))[0] == 403


async def test_posts_share_the_rate_of_requests() -> None:
    settings = Settings(requests_per_second=0.001, request_burst=1)
    async with connected(settings) as (cloud, _, connection_id):
        statuses = [(await cloud.manage("POST", connection_id, b"x"))[0] for _ in range(2)]
        _, headers, _ = await cloud.manage("POST", connection_id, b"x")

        assert statuses == [200, 429]
        assert headers["x-amzn-errortype"] == "LimitExceededException"


async def test_a_client_that_does_not_read_is_429_and_the_rest_of_memory_is_safe() -> None:
    async with connected() as (cloud, client, connection_id):
        client.transport.pause_reading()
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 200:
            statuses.append((await cloud.manage("POST", connection_id, b"x" * 128 * 1024))[0])
        client.transport.resume_reading()

        assert statuses[-1] == 429
        for _ in statuses[:-1]:
            assert len(await client.recv()) == 128 * 1024
        assert (await cloud.manage("POST", connection_id, b"again"))[0] == 200


async def test_botos_own_client_works_unchanged() -> None:
    """F6 case 18: with nothing but endpoint_url."""
    async with connected() as (cloud, client, connection_id):
        api = boto(cloud)
        await asyncio.to_thread(api.post_to_connection, ConnectionId=connection_id, Data=b"hi")
        got = await asyncio.to_thread(api.get_connection, ConnectionId=connection_id)
        await asyncio.to_thread(api.delete_connection, ConnectionId=connection_id)

        assert await client.recv() == "hi"
        assert got["Identity"]["SourceIp"] == "127.0.0.1"
        assert got["LastActiveAt"] >= got["ConnectedAt"]
        with pytest.raises(api.exceptions.GoneException):
            await asyncio.to_thread(api.get_connection, ConnectionId=connection_id)
        api.close()


async def test_boto_raises_the_modelled_errors() -> None:
    async with connected() as (cloud, _, connection_id):
        api = boto(cloud)
        with pytest.raises(api.exceptions.PayloadTooLargeException):
            await asyncio.to_thread(
                api.post_to_connection, ConnectionId=connection_id, Data=b"x" * 131_073
            )
        with pytest.raises(api.exceptions.ClientError, match="Invalid connectionId: abc"):
            await asyncio.to_thread(api.post_to_connection, ConnectionId="abc", Data=b"x")
        api.close()
