"""A client for tests, written against the wire contract: REST, and one WebSocket connection.

Every wait has a deadline. Frames are kept by type, messages by conversation and `seq`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

DEADLINE_SECONDS = 20.0
PASSWORD = "correct horse battery"
Frame = dict[str, Any]


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


def call(
    url: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    token: str = "",
    headers: dict[str, str] | None = None,
) -> Answer:
    """One REST request; a body of type bytes goes out as it is."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return _answer(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read(), dict(error.headers))


def _answer(status: int, raw: bytes, headers: dict[str, str]) -> Answer:
    return Answer(status, json.loads(raw) if raw else None, headers)


def patiently(url: str, method: str, path: str, body: Any = None, *, token: str = "") -> Answer:
    """A request that is repeated while a service behind it is away (503)."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (answer := call(url, method, path, body, token=token)).status == 503:
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.2)
    return answer


@dataclass
class User:
    """An account, logged in on one device."""

    url: str
    name: str
    id: str = ""
    token: str = ""
    refresh_token: str = ""
    device_id: str = ""

    @classmethod
    def new(cls, url: str, name: str = "user") -> User:
        """Registers and logs in under a name that nobody has."""
        user = cls(url, f"{name[:20]}-{uuid.uuid4().hex[:8]}")
        credentials = {"username": user.name, "password": PASSWORD}
        assert patiently(url, "POST", "/v1/auth/register", credentials).status == 201
        return user.log_in()

    def log_in(self) -> User:
        """Logs in on a new device."""
        credentials = {"username": self.name, "password": PASSWORD}
        answer = patiently(self.url, "POST", "/v1/auth/login", credentials)
        assert answer.status == 200, answer.body
        self.id = answer.body["user"]["id"]
        self.token, self.refresh_token = answer.body["access_token"], answer.body["refresh_token"]
        self.device_id = answer.body["device_id"]
        return self

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """A request in this user's name."""
        return call(self.url, method, path, body, token=self.token, **more)

    def get(self, path: str) -> Any:
        """The body of a GET that must succeed."""
        answer = patiently(self.url, "GET", path, token=self.token)
        assert answer.status == 200, answer.body
        return answer.body

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        """One conversation as this user sees it."""
        found: dict[str, Any] = self.get(f"/v1/conversations/{conversation_id}")
        return found


@dataclass
class Client:
    """A user's WebSocket connection."""

    user: User
    url: str
    connection: ClientConnection | None = None
    frames: list[Frame] = field(default_factory=list)
    messages: dict[str, dict[int, Frame]] = field(default_factory=lambda: defaultdict(dict))
    duplicates: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    token_in_header: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: asyncio.Task[None] | None = None
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def connect(self) -> Client:
        """Opens the connection."""
        query = "?" + urllib.parse.urlencode({"token": self.user.token})
        header = {"Authorization": f"Bearer {self.user.token}"}
        self.closed.clear()
        self.connection = await websockets.connect(
            self.url + ("" if self.token_in_header else query),
            additional_headers=header if self.token_in_header else None,
            max_size=None,
            open_timeout=DEADLINE_SECONDS,
            ping_interval=None,
        )
        self._reader = asyncio.create_task(self._read(self.connection))
        return self

    async def close(self) -> None:
        """Closes it, waiting until it is closed."""
        if self.connection is not None:
            await self.connection.close()
        if self._reader is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        self.connection = None

    async def cut_off(self) -> None:
        """Waits for the server to close it: a second, or longer on a machine that is busy."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closed.wait(), 1)
            return
        begun = time.monotonic()
        await asyncio.to_thread(call, self.user.url, "GET", "/v1/client-config")
        await asyncio.wait_for(self.closed.wait(), 20 * (time.monotonic() - begun))

    async def _read(self, connection: ClientConnection) -> None:
        try:
            async for text in connection:
                self._take(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        finally:
            # A test that failed closes nothing, and a later one would fail of what is collected.
            connection.transport.abort()
        self.closed.set()
        self._changed.set()

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        for message in frame["messages"] if frame.get("type") == "messages" else ():
            known = self.messages[message["conversation_id"]]
            self.duplicates += message["seq"] in known
            known[message["seq"]] = message
        self._changed.set()

    async def send_raw(self, text: str | bytes) -> None:
        """Sends a frame as it is."""
        assert self.connection is not None
        await self.connection.send(text)

    async def ask(self, kind: str, **members: Any) -> Frame:
        """Sends a frame and waits for its answer, found by `ref`."""
        ref = uuid.uuid4().hex
        await self.send_raw(json.dumps({"type": kind, "ref": ref, **members}))
        wanted = {ref, members.get("client_msg_id", ref)}
        return await self.frame(lambda frame: frame.get("ref") in wanted)

    async def say(self, text: str, client_msg_id: str = "", **where: Any) -> Frame:
        """Sends one message and waits for the answer."""
        client_msg_id = client_msg_id or f"{uuid.uuid4().hex[:8]}-{next(self._numbers)}"
        return await self.ask("send", client_msg_id=client_msg_id, content=text, **where)

    async def frame(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first frame that fits, now or later."""
        await self.until(lambda: any(map(wanted, self.frames)))
        return next(filter(wanted, self.frames))

    async def until(self, true: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
        """Waits until something is true; checked whenever a frame came."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            state = "closed" if self.closed.is_set() else "open"
            last = "\n".join(map(str, self.frames[-10:]))
            error.add_note(f"{self.user.name}'s connection is {state}; its last frames:\n{last}")
            raise

    async def received(self, conversation_id: str, count: int) -> list[Frame]:
        """Waits for so many messages of a conversation; in order of `seq`."""
        await self.until(lambda: len(self.messages[conversation_id]) >= count)
        return self.ordered(conversation_id)

    def ordered(self, conversation_id: str) -> list[Frame]:
        """The messages of a conversation that came so far."""
        known = self.messages[conversation_id]
        return [known[seq] for seq in sorted(known)]


async def eventually(true: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """Waits until a function, called again and again in a thread, returns something true."""
    async with asyncio.timeout(seconds):
        while not (value := await asyncio.to_thread(true)):
            await asyncio.sleep(0.05)
    return value
