"""One WebSocket connection, as API Gateway keeps it: limits, close codes, no timer of its own."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol as Port
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

from localstack.emulator.events import Caller

MAX_FRAME_BYTES = 32 * 1024  # API Gateway quotas: docs .../apigateway-execution-service-websocket-
MAX_MESSAGE_BYTES = 128 * 1024  # limits-table.html; beyond either the connection closes with 1009
_MAX_BUFFERED = 1024 * 1024  # bytes waiting for a slow client before posts are refused
_HIGH_WATER = 256 * 1024  # bytes waiting for a slow client before no more is read from it
_MAX_IN_FLIGHT = 256  # frames whose answers are awaited before no more is read
_CLOSE_SECONDS = 2.0  # how long the client has to answer a closing handshake
_CLIENT_SENT_NO_CODE = "Client-side close frame status not set"  # captured from AWS


class Owner(Port):
    """Who wants to know what comes in, and how it ended."""

    def received(self, connection: Connection, text: str) -> None:
        """A whole text message came."""

    def ended(self, connection: Connection, code: int, reason: str) -> None:
        """The connection is closed; said once."""


class Connection(asyncio.Protocol):
    """Reads frames, enforces limits, and says how it ended."""

    __slots__ = (
        "_aborter",
        "_closed",
        "_fragments",
        "_in_flight",
        "_owner",
        "_protocol",
        "_slow",
        "_transport",
        "caller",
        "last_active",
        "opened",
    )

    def __init__(self, transport: asyncio.Transport, caller: Caller, owner: Owner) -> None:
        self.caller = caller
        self.opened = self.last_active = time.monotonic()
        self._transport = transport
        self._owner = owner
        self._protocol = Protocol(
            SERVER, state=State.OPEN, max_size=(MAX_MESSAGE_BYTES, MAX_FRAME_BYTES)
        )
        self._fragments: list[bytes] | None = None
        self._closed: tuple[int, str] | None = None
        self._aborter: asyncio.TimerHandle | None = None
        self._in_flight = 0
        self._slow = False

    def take_over(self, leftover: bytes) -> None:
        """Reads from now on, beginning with what came behind the handshake."""
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._transport.set_protocol(cast(asyncio.BaseProtocol, self))
        self._transport.resume_reading()
        if leftover:
            self.data_received(leftover)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._protocol.state is State.OPEN and not self._transport.is_closing()

    @property
    def is_slow(self) -> bool:
        """Whether the client does not read what is sent to it."""
        return self._transport.get_write_buffer_size() > _MAX_BUFFERED

    def send(self, payload: bytes) -> None:
        """Sends a text message (UTF-8), which counts as activity."""
        self.last_active = time.monotonic()
        self._transport.write(text_frames(payload))

    def close(self, code: int, reason: str = "") -> None:
        """Starts the closing handshake; the socket is cut when the client does not answer."""
        if self.is_open:
            self._closed = (code, reason)
            self._protocol.send_close(code, reason)
            self._flush()

    def begin(self) -> None:
        """A frame is being answered: with too many of them, no more is read."""
        self._in_flight += 1
        if self._in_flight == _MAX_IN_FLIGHT:
            self._transport.pause_reading()

    def finish(self) -> None:
        """A frame was answered."""
        self._in_flight -= 1
        if self._in_flight == _MAX_IN_FLIGHT - 1 and not self._slow:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if self._closed is None:
                self._take(cast(Frame, event))
        self._flush()

    def eof_received(self) -> bool:
        """Called by asyncio."""
        self._protocol.receive_eof()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if self._aborter is not None:
            self._aborter.cancel()
        self._owner.ended(self, *self._ending())

    def pause_writing(self) -> None:
        """Called by asyncio: who does not read is not read either."""
        self._slow = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._slow = False
        if self._in_flight < _MAX_IN_FLIGHT:
            self._transport.resume_reading()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._take_part(bytes(frame.data), frame.fin)
        elif frame.opcode is Opcode.BINARY:
            self.close(1003, "Binary messages are not supported")

    def _take_part(self, data: bytes, fin: bool) -> None:
        if not fin:
            self._fragments = [*(self._fragments or ()), data]
            return
        if self._fragments is not None:
            data = b"".join((*self._fragments, data))
            self._fragments = None
        self.last_active = time.monotonic()
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.close(1007, "Invalid UTF-8")
            return
        self._owner.received(self, text)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                # Not close(): with unread bytes the client would get a reset, not our close frame.
                self._transport.write_eof()
        if self._aborter is None and self._protocol.close_expected():
            loop = asyncio.get_running_loop()
            self._aborter = loop.call_later(_CLOSE_SECONDS, self._transport.abort)

    def _ending(self) -> tuple[int, str]:
        """Code and reason as ``$disconnect`` has them."""
        if self._closed is not None:
            return self._closed
        received, sent = self._protocol.close_rcvd, self._protocol.close_sent
        if received is not None:
            known = received.code != 1005
            return int(received.code), received.reason if known else _CLIENT_SENT_NO_CODE
        if sent is not None:  # what the protocol itself refused, such as 1009
            return int(sent.code), sent.reason
        return 1006, "Connection closed abnormally"


def text_frames(payload: bytes) -> bytes:
    """A text message on the wire, in frames of at most 32 KB."""
    if len(payload) <= MAX_FRAME_BYTES:
        return _header(0x81, len(payload)) + payload
    parts = [payload[at : at + MAX_FRAME_BYTES] for at in range(0, len(payload), MAX_FRAME_BYTES)]
    last = len(parts) - 1
    return b"".join(
        _header((0x80 if at == last else 0) | (0 if at else 1), len(part)) + part
        for at, part in enumerate(parts)
    )


def _header(first: int, size: int) -> bytes:
    if size < 126:
        return bytes((first, size))
    return bytes((first, 126)) + size.to_bytes(2, "big")
