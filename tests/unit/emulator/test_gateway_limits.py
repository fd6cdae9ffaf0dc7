"""gateway.md F1, F6 cases 10 to 14 and 20: limits, timers, and how connections end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from localstack.emulator.quotas import Settings
from tests.unit.emulator.local import (
    Event,
    Functions,
    Local,
    closing,
    echo_api,
    local,
    only_connection,
    until,
)

pytestmark = pytest.mark.req("SHAPE-2")

KB = 1024


def size(event: Event) -> dict[str, Any]:
    return {"statusCode": 200, "body": str(len(event["body"]))}


def frame_of(size: int) -> str:
    frame = '{"action": "echo", "pad": "'
    return frame + "x" * (size - len(frame) - 2) + '"}'


def in_parts(text: str, part: int = 32 * KB) -> list[str]:
    return [text[at : at + part] for at in range(0, len(text), part)]


async def disconnected(cloud: Local) -> tuple[int, str]:
    context = (await cloud.functions.wait_for("DISCONNECT"))["requestContext"]
    return context["disconnectStatusCode"], context["disconnectReason"]


async def test_a_frame_of_32_kb_passes() -> None:
    async with local(Functions(EchoFunction=size)) as cloud, cloud.connect() as client:
        await client.send(frame_of(32 * KB))

        assert await client.recv() == str(32 * KB)


async def test_a_larger_frame_closes_with_1009() -> None:
    async with local() as cloud, cloud.connect() as client:
        await client.send(frame_of(32 * KB + 1))

        assert (await closing(client))[0] == 1009
        assert (await disconnected(cloud))[0] == 1009
        assert cloud.functions.of("MESSAGE") == []


async def test_a_message_of_128_kb_in_frames_passes() -> None:
    async with local(Functions(EchoFunction=size)) as cloud, cloud.connect() as client:
        await client.send(in_parts(frame_of(128 * KB)))

        assert await client.recv() == str(128 * KB)


async def test_a_larger_message_closes_with_1009() -> None:
    async with local() as cloud, cloud.connect() as client:
        with pytest.raises(ConnectionClosed):
            await client.send(in_parts(frame_of(128 * KB + 1)))
            await client.recv()

        assert (await closing(client))[0] == 1009
        assert cloud.functions.of("MESSAGE") == []


async def test_a_binary_frame_closes_with_1003() -> None:
    async with local() as cloud, cloud.connect() as client:
        await client.send(b"bytes")

        assert (await closing(client))[0] == 1003
        assert (await disconnected(cloud))[0] == 1003


async def test_text_that_is_no_utf8_closes_with_1007() -> None:
    async with local() as cloud, cloud.connect() as client:
        await client.send(b"\xff\xfe", text=True)

        assert (await closing(client))[0] == 1007


async def test_an_idle_connection_is_closed_with_1001_going_away() -> None:
    """10 minutes, here 60 ms."""
    async with local(settings=Settings(time_scale=10_000)) as cloud, cloud.connect() as client:
        assert await closing(client) == (1001, "Going away")
        assert await disconnected(cloud) == (1001, "Going away")


async def test_messages_in_either_direction_reset_the_idle_timer() -> None:
    """10 minutes are 0.4 s here: three times as long, with something every 0.1 s."""
    async with local(settings=Settings(time_scale=1500)) as cloud:
        async with cloud.connect() as busy, cloud.connect() as told, cloud.connect() as idle:
            told_id = list(cloud.gateway.connections)[1]
            for _ in range(12):
                await busy.send('{"action": "whisper"}')
                cloud.gateway.connections[told_id].send(b"hello")
                await asyncio.sleep(0.1)

            assert busy.close_code is None
            assert told.close_code is None
            assert idle.close_code == 1001


async def test_pings_are_answered_and_do_not_reset_the_idle_timer() -> None:
    async with local(settings=Settings(time_scale=1500)) as cloud, cloud.connect() as client:
        await (await client.ping())
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                while True:
                    await (await client.ping())

        assert client.close_code == 1001


async def test_a_connection_is_closed_after_two_hours_however_busy() -> None:
    """Two hours are 0.72 s here, 10 minutes 60 ms."""
    functions = Functions(EchoFunction=size)
    async with local(functions, Settings(time_scale=10_000)) as cloud, cloud.connect() as client:
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                while True:
                    await client.send('{"action": "echo"}')
                    await client.recv()

        assert await closing(client) == (1001, "Going away")
        assert len(functions.of("MESSAGE")) > 5


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
        writer.transport.pause_reading()
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


def test_the_frames_of_the_tests_have_the_size_they_say() -> None:
    assert len(frame_of(32 * KB)) == 32 * KB
    assert json.loads(frame_of(1000))["action"] == "echo"
