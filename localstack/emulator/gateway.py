"""API Gateway's WebSocket API: handshake, routes, answers, timers.

Behaviour: docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-*; the
tests cite the row of each case. Left out: API keys, request models and AWS_IAM.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from localstack.emulator.authorizer import context_of, has_identity
from localstack.emulator.events import Caller, EventFactory, new_id
from localstack.emulator.handshake import RefusedError, accept_key, accepted, refused
from localstack.emulator.httpserver import HttpProtocol, Request
from localstack.emulator.integration import Integration, Invoker
from localstack.emulator.quotas import Settings, TokenBucket
from localstack.emulator.selection import RouteSelection
from localstack.emulator.template import Route, WebSocketApi
from localstack.emulator.websocket import Connection

Log = Callable[[Mapping[str, Any]], None]
_IDLE_SECONDS = 600.0  # API Gateway quotas: idle connection timeout,
_MAX_AGE_SECONDS = 7200.0  # and connection duration
_SWEEP_SECONDS = 5.0
_STOP_SECONDS = 3.0


class Gateway:
    """Serves one WebSocket API.

    Args:
        api: Routes and authorizer.
        invoker: Where the functions are.
        port: What events give as ``X-Forwarded-Port``.
        settings: Time, rates, faults.
        requests: The bucket of requests, when it is shared with other gateways.
        log: Takes a record for each handshake and each end of a connection.
    """

    def __init__(
        self,
        api: WebSocketApi,
        invoker: Invoker,
        *,
        port: int,
        settings: Settings | None = None,
        requests: TokenBucket | None = None,
        log: Log = lambda _record: None,
    ) -> None:
        settings = settings or Settings()
        self.api = api
        self.connections: dict[str, Connection] = {}
        self.requests = requests or TokenBucket(
            settings.requests_per_second, settings.request_burst
        )
        self._stage_quota = TokenBucket(api.rate, api.burst)
        self._connects = TokenBucket(settings.connects_per_second, settings.connect_burst)
        self._events = EventFactory(
            api, port=port, region=settings.region, account=settings.account
        )
        self._selection = RouteSelection(api.selection_expression)
        self._integration = Integration(invoker)
        self._settings = settings
        self._log = log
        self._random = random.Random(settings.seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to end idle and old connections."""
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def stop(self) -> None:
        """Closes every connection and waits a moment for what that causes."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self.connections.values()):
            connection.close(1001, "Going away")
        deadline = time.monotonic() + _STOP_SECONDS
        while (self.connections or self._tasks) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()

    def upgrade(self, request: Request, transport: asyncio.Transport, http: HttpProtocol) -> None:
        """Takes a handshake: authorizer, ``$connect``, then the 101 or the refusing status."""
        self._spawn(self._open(request, transport, http))

    async def _open(
        self, request: Request, transport: asyncio.Transport, http: HttpProtocol
    ) -> None:
        started = time.perf_counter()
        caller, request_id = Caller.of(request), new_id()
        status = 101
        try:
            key = accept_key(request)
            subprotocol = await self._connect(request, caller, request_id)
        except RefusedError as error:
            status = error.status
            transport.write(refused(error, caller.connection_id, request_id))
            transport.close()
        else:
            connection = Connection(transport, caller, self)
            self.connections[caller.connection_id] = connection
            if transport.is_closing():  # the client did not wait for the answer
                self.ended(connection, 1006, "Connection closed abnormally")
            else:
                transport.write(accepted(key, subprotocol))
                connection.take_over(http.leftover)
        duration_ms = round((time.perf_counter() - started) * 1000, 2)
        self._report("CONNECT", caller, status, duration_ms)

    async def _connect(self, request: Request, caller: Caller, request_id: str) -> str | None:
        """Runs authorizer and ``$connect``; returns the subprotocol that the function chose."""
        if request.path.rstrip("/") != f"/{self.api.stage}":
            raise RefusedError(403)
        if not self._connects.take():
            raise RefusedError(429)
        if self.api.authorizer is not None:
            await self._authorize(request, caller)
        route = self.api.routes.get("$connect")
        if route is None:
            return None
        answer = await self._integration.answer(
            route, self._events.connect(caller, request, request_id)
        )
        if answer is None:
            raise RefusedError(502)
        status = int(answer["statusCode"])
        if not 200 <= status < 300:
            raise RefusedError(status if 300 <= status < 600 else 502, own=False)
        headers = {str(name).lower(): value for name, value in _headers(answer).items()}
        subprotocol = headers.get("sec-websocket-protocol")
        return None if subprotocol is None else str(subprotocol)

    async def _authorize(self, request: Request, caller: Caller) -> None:
        assert self.api.authorizer is not None
        event = self._events.authorize(caller, request)
        if not has_identity(event, self.api.authorizer.identity_sources):
            raise RefusedError(401)
        started = time.monotonic()
        result = await self._integration.call(self.api.authorizer.function, event)
        context = context_of(result, self._events.connect_arn)
        latency_ms = int((time.monotonic() - started) * 1000)
        caller.authorizer = {**context, "integrationLatency": latency_ms}

    def received(self, connection: Connection, text: str) -> None:
        """A frame came; frames of one client are handled at the same time, as on AWS."""
        connection.begin()
        self._spawn(self._message(connection, text))

    async def _message(self, connection: Connection, text: str) -> None:
        request_id = new_id()
        try:
            if self._stage_quota.take() and self.requests.take():
                answer = await self._route(connection, text, request_id)
            else:
                answer = _complaint("Too Many Requests", connection, request_id)
            if answer is not None and connection.is_open:
                connection.send(answer.encode())
        finally:
            connection.finish()

    async def _route(self, connection: Connection, text: str, request_id: str) -> str | None:
        key = self._selection.key(text)
        route = self.api.routes.get(key) if key is not None else None
        route = route or self.api.routes.get("$default")
        if route is None:
            return _complaint("Forbidden", connection, request_id)
        event = self._events.message(connection.caller, route.key, text, request_id)
        answer = await self._integration.answer(route, event)
        body = None if answer is None else answer.get("body")
        if answer is None or not isinstance(body, str | None):
            return _complaint("Internal server error", connection, request_id)
        return body if route.two_way else None

    def ended(self, connection: Connection, code: int, reason: str) -> None:
        """A connection is gone: ``$disconnect`` runs, best effort."""
        caller = connection.caller
        if self.connections.pop(caller.connection_id, None) is None:
            return
        self._report("DISCONNECT", caller, code, None)
        route = self.api.routes.get("$disconnect")
        if route is not None and self._random.random() >= self._settings.lost_disconnects:
            self._spawn(self._disconnect(route, self._events.disconnect(caller, code, reason)))

    async def _disconnect(self, route: Route, event: Mapping[str, Any]) -> None:
        await self._integration.call(route.function, event, route.timeout_seconds)

    async def _sweep(self) -> None:
        idle = _IDLE_SECONDS / self._settings.time_scale
        age = _MAX_AGE_SECONDS / self._settings.time_scale
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, idle / 20))
            now = time.monotonic()
            for connection in list(self.connections.values()):
                if now - connection.last_active > idle or now - connection.opened > age:
                    connection.close(1001, "Going away")

    def _report(self, method: str, caller: Caller, status: int, ms: float | None) -> None:
        record = {"kind": "access", "method": method, "path": f"/{self.api.stage}"}
        ids = {"connection_id": caller.connection_id, "status": status}
        self._log({**record, **ids, **({} if ms is None else {"duration_ms": ms})})

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _headers(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = answer.get("headers")
    return headers if isinstance(headers, dict) else {}


def _complaint(message: str, connection: Connection, request_id: str) -> str:
    """A frame of the gateway's own; the odd spaces are API Gateway's."""
    return (
        f'{{"message": "{message}", "connectionId":"{connection.caller.connection_id}", '
        f'"requestId":"{request_id}"}}'
    )
