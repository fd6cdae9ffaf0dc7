"""Several WebSocket APIs on one port, told apart by the first part of the path: the stage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import unquote

from localstack.emulator.connections_api import ConnectionsApi
from localstack.emulator.gateway import Gateway
from localstack.emulator.httpserver import HttpProtocol, Request, Response

_JSON = (("content-type", "application/json"),)
_FORBIDDEN = Response(403, b'{"message":"Forbidden"}', _JSON)
_UPGRADE_REQUIRED = Response(426, b'{"message":"Upgrade Required"}', _JSON)


class Stages:
    """Hands requests to the API whose stage they name; any other stage is forbidden, as on AWS.

    Raises:
        ValueError: Two APIs have the same stage.
    """

    def __init__(self, gateways: Iterable[Gateway]) -> None:
        self._gateways: dict[str, Gateway] = {}
        self._management: dict[str, ConnectionsApi] = {}
        for gateway in gateways:
            stage = gateway.api.stage
            if stage in self._gateways:
                raise ValueError(f"two WebSocket APIs have the stage {stage}: one needs another")
            self._gateways[stage] = gateway
            self._management[stage] = ConnectionsApi(gateway)

    def handle(self, request: Request) -> Response:
        """Answers what is no WebSocket handshake: the management API."""
        stage, _, rest = request.path[1:].partition("/")
        management = self._management.get(unquote(stage))
        if management is None:
            return _FORBIDDEN
        return management.handle(request) if rest else _UPGRADE_REQUIRED

    def upgrade(self, request: Request, transport: asyncio.Transport, http: HttpProtocol) -> None:
        """Takes a handshake."""
        gateway = self._gateways.get(unquote(request.path).strip("/"))
        if gateway is None:
            transport.write(_FORBIDDEN.encode(keep_alive=False))
            transport.close()
        else:
            gateway.upgrade(request, transport, http)
