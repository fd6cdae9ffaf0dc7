from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from localstack.emulator.httpserver import (
    Handler,
    HttpProtocol,
    Request,
    Response,
    Upgrade,
    serve,
)
from tests.unit.emulator.conftest import DEADLINE_SECONDS
from tests.unit.emulator.local import http, until

pytestmark = pytest.mark.req("SHAPE-2")


def say(request: Request) -> Response:
    return Response(200, f"{request.method} {request.target} {request.body!r}".encode())


@asynccontextmanager
async def serving(
    handler: Handler = say, *, max_body: int = 1000, upgrade: Upgrade | None = None
) -> AsyncIterator[str]:
    server = await serve(handler, "127.0.0.1", 0, max_body=max_body, upgrade=upgrade)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def exchange(
    host: str, data: bytes, is_whole: Callable[[bytes], bool] = lambda _answer: False
) -> bytes:
    """Everything that comes back until the server closes, or the answer is whole."""
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(data)
    answer = b""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_whole(answer) and (part := await reader.read(65536)):
            answer += part
    writer.close()
    return answer


async def test_a_request_has_method_target_headers_body_and_peer() -> None:
    seen: list[Request] = []

    async def keep(request: Request) -> Response:
        seen.append(request)
        return Response(201, b"made", (("X-One", "1"), ("X-One", "2")))

    async with serving(keep) as host:
        answer = await exchange(
            host,
            b"POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi",
            lambda answer: answer.endswith(b"made"),
        )

    (request,) = seen
    assert (request.method, request.path, request.query) == ("POST", "/a%20b", "c=d")
    assert request.headers == [("Host", "x"), ("X-A", "1"), ("Content-Length", "2")]
    assert (request.header("x-a"), request.header("x-b")) == ("1", None)
    assert (request.body, request.peer) == (b"hi", "127.0.0.1")
    assert answer.startswith(b"HTTP/1.1 201 Created\r\nX-One: 1\r\nX-One: 2\r\n")
    assert answer.endswith(b"content-length: 4\r\n\r\nmade")


async def test_a_connection_is_kept_and_its_requests_are_answered_in_order() -> None:
    async def slower_at_first(request: Request) -> Response:
        await asyncio.sleep(0.02 if request.path == "/1" else 0)
        return Response(200, request.path.encode())

    async with serving(slower_at_first) as host:
        answer = await exchange(
            host,
            b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(1, 201)),
            lambda answer: answer.endswith(b"/200"),
        )

    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"/%d" % n for n in range(1, 201)]


async def test_a_handler_may_answer_at_once_or_later() -> None:
    def either(request: Request) -> Response | asyncio.Future[Response]:
        if request.path == "/now":
            return Response(200, b"now")
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, Response(200, b"later"))
        return future

    async with serving(either) as host:
        paths = (b"/later", b"/now", b"/later", b"/now")
        answer = await exchange(
            host,
            b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths),
            lambda answer: answer.count(b"later") + answer.count(b"now") == len(paths),
        )

    assert [answer.count(word) for word in (b"later", b"now")] == [2, 2]
    assert answer.index(b"later") < answer.index(b"now")


async def test_close_is_honoured() -> None:
    async with serving() as host:
        answer = await exchange(host, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert b"connection: close" in answer


async def test_head_has_the_length_but_not_the_body() -> None:
    async with serving() as host:
        status, headers, body = await http(host, "HEAD", "/")

    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


@pytest.mark.parametrize("kind", ["now", "later"])
async def test_a_handler_that_raises_is_500_and_a_log_line_without_query(
    caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    def now(_request: Request) -> Response:
        raise ValueError("broken")

    async def later(_request: Request) -> Response:
        raise ValueError("broken")

    with caplog.at_level(logging.ERROR):
        async with serving(now if kind == "now" else later) as host:
            status, _, body = await http(host, "GET", "/path?token=secret")

    assert (status, body) == (500, b"internal error")
    assert [one.getMessage() for one in caplog.records] == ["request failed: GET /path"]
    assert "secret" not in caplog.text


async def test_a_body_that_is_too_large_is_413() -> None:
    async with serving(max_body=10) as host:
        assert (await http(host, "POST", "/", b"x" * 10))[0] == 200
        assert (await http(host, "POST", "/", b"x" * 11))[0] == 413


@pytest.mark.parametrize(
    "rubbish",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
)
async def test_rubbish_is_400_and_the_end(rubbish: bytes) -> None:
    async with serving() as host:
        answer = await exchange(host, rubbish)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n")


async def test_rubbish_behind_a_good_request_does_not_spoil_its_answer() -> None:
    async def later(request: Request) -> Response:
        await asyncio.sleep(0.02)
        return say(request)

    async with serving(later) as host:
        answer = await exchange(host, b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nrubbish\r\n\r\n")

    assert answer.index(b"GET /1") < answer.index(b"400 Bad Request")


async def test_chunked_bodies_and_expect_continue_work() -> None:
    async with serving() as host:
        answer = await exchange(
            host,
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            lambda answer: b"b'hi'" in answer,
        )

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert b"b'hi'" in answer


async def test_a_client_that_leaves_cancels_its_request() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_request: Request) -> Response:
        begun.set()
        try:
            await asyncio.sleep(DEADLINE_SECONDS)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response()

    async with serving(wait) as host:
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(begun.is_set)
        writer.close()
        await until(cancelled.is_set)


async def test_an_upgrade_is_handed_over_with_what_came_behind_it() -> None:
    taken: list[tuple[str, bytes]] = []

    def take(request: Request, transport: asyncio.Transport, protocol: HttpProtocol) -> None:
        taken.append((request.path, protocol.leftover))
        transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        transport.close()

    async with serving(upgrade=take) as host:
        answer = await exchange(
            host, b"GET /up HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nrest"
        )

    assert taken == [("/up", b"rest")]
    assert answer.startswith(b"HTTP/1.1 101 ")


async def test_where_nothing_can_be_upgraded_the_request_is_answered_as_it_is() -> None:
    async with serving() as host:
        answer = await exchange(
            host, b"GET /up HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        )

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer
