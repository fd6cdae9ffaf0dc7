"""gateway.md F1, F6 cases 10 to 13: sizes, kinds of frames, timers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from localstack.emulator.quotas import Settings
from tests.unit.emulator.local import (
    Event,
    Functions,
    closing,
    disconnected,
    local,
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


async def test_who_is_still_sending_gets_the_close_frame_too_and_no_reset() -> None:
    """A socket that is closed with unread bytes resets, and the code is lost on the way."""
    async with local() as cloud, cloud.connect() as client:
        with contextlib.suppress(ConnectionClosed):
            await client.send(frame_of(8 * KB * KB))

        assert (await closing(client))[0] == 1009


async def test_a_message_of_128_kb_in_frames_passes() -> None:
    async with local(Functions(EchoFunction=size)) as cloud, cloud.connect() as client:
        await client.send(in_parts(frame_of(128 * KB)))

        assert await client.recv() == str(128 * KB)


async def test_a_larger_message_closes_with_1009() -> None:
    async with local() as cloud, cloud.connect() as client:
        with contextlib.suppress(ConnectionClosed):
            await client.send(in_parts(frame_of(128 * KB + 1)))

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
    """10 minutes are 3 s here, with something every 0.2 s."""
    async with (
        local(settings=Settings(time_scale=200)) as cloud,
        cloud.connect() as busy,
        cloud.connect() as told,
        cloud.connect() as idle,
    ):
        told_id = list(cloud.gateway.connections)[1]
        while idle.close_code is None:
            await busy.send('{"action": "whisper"}')
            cloud.gateway.connections[told_id].send(b"hello")
            await asyncio.sleep(0.2)

        assert (busy.close_code, told.close_code, idle.close_code) == (None, None, 1001)


async def test_pings_are_answered_and_do_not_reset_the_idle_timer() -> None:
    async with local(settings=Settings(time_scale=400)) as cloud, cloud.connect() as client:
        pongs = 0
        with contextlib.suppress(ConnectionClosed):
            while True:
                await (await client.ping())
                pongs += 1

        assert client.close_code == 1001
        assert pongs > 5


async def test_a_connection_is_closed_after_two_hours_however_busy() -> None:
    """Two hours are 0.72 s here, 10 minutes 60 ms."""
    functions = Functions(EchoFunction=size)
    async with local(functions, Settings(time_scale=10_000)) as cloud, cloud.connect() as client:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.send('{"action": "echo"}')
                await client.recv()

        assert await closing(client) == (1001, "Going away")
        assert len(functions.of("MESSAGE")) > 5


def test_the_frames_of_the_tests_have_the_size_they_say() -> None:
    assert len(frame_of(32 * KB)) == 32 * KB
    assert json.loads(frame_of(1000))["action"] == "echo"
