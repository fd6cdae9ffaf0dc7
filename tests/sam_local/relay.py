"""Lets containers reach what listens on this machine's loopback address.

Each port is passed on from the address at which containers see this machine. Kafka says in its
answers where it is: there the address is replaced, in frames of the protocol.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial

_LOOPBACK = "127.0.0.1"
_START_SECONDS = 10.0


@contextmanager
def relaying(address: str, ports: Iterable[int], brokers: Iterable[int]) -> Iterator[None]:
    """Passes connections on, for as long as it is needed.

    Args:
        address: At which containers see this machine.
        ports: Of services.
        brokers: The ports of Kafka's brokers.

    Raises:
        OSError: The address is not this machine's, or a port is taken there.
    """
    relay = _Relay(address, set(ports), set(brokers))
    thread = threading.Thread(target=asyncio.run, args=(relay.run(),))
    thread.start()
    try:
        relay.opened.result(_START_SECONDS)
        yield
    finally:
        relay.close()
        thread.join()


class _Relay:
    def __init__(self, address: str, ports: set[int], brokers: set[int]) -> None:
        self.opened = Future[asyncio.AbstractEventLoop]()
        self._address, self._ports, self._brokers = address, ports, brokers
        self._closed = asyncio.Event()

    async def run(self) -> None:
        async with AsyncExitStack() as servers:
            try:
                for port in self._ports | self._brokers:
                    address = self._address if port in self._brokers else ""
                    passing_on = partial(_pass_on, port, address)
                    server = await asyncio.start_server(passing_on, self._address, port)
                    servers.callback(server.close)
            except OSError as error:
                self.opened.set_exception(error)
                return
            self.opened.set_result(asyncio.get_running_loop())
            await self._closed.wait()

    def close(self) -> None:
        if self.opened.exception() is None:
            self.opened.result().call_soon_threadsafe(self._closed.set)


async def _pass_on(
    port: int, address: str, client: asyncio.StreamReader, back: asyncio.StreamWriter
) -> None:
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        service, forth = await asyncio.open_connection(_LOOPBACK, port)
        answers = _readdressed(service, back, address) if address else _copied(service, back)
        await asyncio.gather(_copied(client, forth), answers)
    back.close()


async def _copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while part := await source.read(65536):
            sink.write(part)
            await sink.drain()
    finally:
        sink.close()


async def _readdressed(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, address: str
) -> None:
    try:
        while True:
            size = struct.unpack(">i", await source.readexactly(4))[0]
            answer = readdressed(await source.readexactly(size), address)
            sink.write(struct.pack(">i", len(answer)) + answer)
            await sink.drain()
    finally:
        sink.close()


def readdressed(answer: bytes, address: str) -> bytes:
    """An answer of Kafka's in which it is at another address.

    Strings have their length in front: two bytes, or in newer versions one that is one more.
    """
    for one in (lambda text: struct.pack(">h", len(text)), lambda text: bytes([len(text) + 1])):
        old, new = _LOOPBACK.encode(), address.encode()
        answer = answer.replace(one(old) + old, one(new) + new)
    return answer
