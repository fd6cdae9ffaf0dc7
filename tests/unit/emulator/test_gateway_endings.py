"""gateway.md F1 and F3, F6 cases 14 and 20: how connections end, and who hears of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from localstack.emulator.quotas import Settings
from tests.unit.emulator.local import (
    Event,
    Functions,
    closing,
    disconnected,
    echo_api,
    local,
    only_connection,
    until,
)

pytestmark = pytest.mark.req("SHAPE-2")


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1000, "bye"), (1001, ""), (3000, "own reason"), (4999, "é")]
)
async def test_the_clients_code_and_reason_are_in_the_event(code: int, reason: str) -> None:
    async with local() as cloud:
        async with cloud.connect() as client:
            await client.close(code, reason)

        assert await disconnected(cloud) == (code, reason)


async def test_a_close_frame_without_status_is_1005() -> None:
    async with local() as cloud, cloud.connect() as client:
        client.transport.write(b"\x88\x80\x00\x00\x00\x00")

        assert await disconnected(cloud) == (1005, "Client-side close frame status not set")


async def test_a_socket_that_just_ends_is_1006() -> None:
    async with local() as cloud, cloud.connect() as client:
        await only_connection(cloud)
        client.transport.abort()

        assert (await disconnected(cloud))[0] == 1006


async def test_a_client_that_leaves_during_connect_is_disconnected_too() -> None:
    gate = asyncio.Event()

    async def wait(_event: Event) -> dict[str, Any]:
        await gate.wait()
        return {"statusCode": 200}

    functions = Functions(DoorFunction=wait)
    async with local(functions) as cloud:
        opening = asyncio.create_task(cloud.connect().__aenter__())
        await functions.wait_for("CONNECT")
        opening.cancel()
        await asyncio.wait([opening])
        gate.set()

        assert (await disconnected(cloud))[0] == 1006
        assert cloud.gateway.connections == {}


async def test_the_disconnect_event_has_exactly_the_captured_headers() -> None:
    """F3: four headers, three of them empty; no messageId, no body, no query."""
    async with local() as cloud:
        async with cloud.connect("?a=1"):
            pass
        event = await cloud.functions.wait_for("DISCONNECT")

    headers = {"Host": cloud.host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    assert list(event["headers"].items()) == list(headers.items())
    assert event["multiValueHeaders"] == {name: [value] for name, value in headers.items()}
    assert set(event) == {"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}
    assert "messageId" not in event["requestContext"]
    assert event["requestContext"]["routeKey"] == "$disconnect"


async def test_disconnect_runs_once_and_its_answer_is_ignored() -> None:
    def refuse(event: Event) -> dict[str, Any]:
        leaving = event["requestContext"]["eventType"] == "DISCONNECT"
        return {"statusCode": 500 if leaving else 200}

    async with local(Functions(DoorFunction=refuse)) as cloud:
        for _ in range(3):
            async with cloud.connect() as client:
                await client.close()
        await until(lambda: len(cloud.functions.of("DISCONNECT")) == 3)

        assert cloud.gateway.connections == {}
    ids = [one["requestContext"]["connectionId"] for one in cloud.functions.of("DISCONNECT")]
    assert len(set(ids)) == 3


async def test_without_a_disconnect_route_nothing_is_invoked() -> None:
    routes = {key: one for key, one in echo_api().routes.items() if key != "$disconnect"}
    async with local(api=echo_api(routes=routes)) as cloud:
        async with cloud.connect():
            pass
        await until(lambda: not cloud.gateway.connections)

        assert cloud.functions.of("DISCONNECT") == []


async def test_disconnects_can_be_lost_on_purpose_and_the_same_ones_each_time() -> None:
    """F6 case 20: best effort means that code must live without them."""

    async def lost() -> list[bool]:
        async with local(settings=Settings(lost_disconnects=0.5, seed=7)) as cloud:
            seen = []
            for _ in range(8):
                async with cloud.connect():
                    connection_id = await only_connection(cloud)
                await until(lambda: not cloud.gateway.connections)
                seen.append(connection_id)
            await until(lambda: not cloud.gateway._tasks)
            events = cloud.functions.of("DISCONNECT")
            told = {one["requestContext"]["connectionId"] for one in events}
            return [one not in told for one in seen]

    first, second = await lost(), await lost()

    assert first == second
    assert 0 < sum(first) < 8


async def test_an_orderly_stop_closes_with_1001_and_runs_disconnect() -> None:
    async with local() as cloud:
        client = await cloud.connect().__aenter__()
        await only_connection(cloud)
    code, reason = await closing(client)

    assert (code, reason) == (1001, "Going away")
    assert await disconnected(cloud) == (1001, "Going away")


async def test_a_client_that_does_not_answer_the_closing_handshake_is_cut_off() -> None:
    async with local() as cloud:
        reader, writer = await asyncio.open_connection(*cloud.host.split(":"))
        writer.write(
            b"GET /dev HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        connection_id = await only_connection(cloud)
        cloud.gateway.connections[connection_id].close(1001, "Going away")
        frame = await reader.read()
        await until(lambda: not cloud.gateway.connections)
        writer.close()

    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert frame == b"\x88\x0c\x03\xe9Going away"


async def test_frames_right_behind_the_handshake_are_not_lost() -> None:
    masked = b"\x81\x8d\x00\x00\x00\x00" + b'{"action":""}'
    async with local() as cloud:
        reader, writer = await asyncio.open_connection(*cloud.host.split(":"))
        writer.write(
            b"GET /dev HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + masked
        )
        await reader.readuntil(b"\r\n\r\n")
        answer = await reader.readexactly(60)
        writer.close()
        await writer.wait_closed()

    assert b"Forbidden" in answer
