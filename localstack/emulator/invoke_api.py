"""Lambda's Invoke API: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import MappingProxyType

from localstack.emulator.httpserver import Request, Response
from localstack.emulator.runtime import Runtime, ThrottledError, UnknownFunctionError

_PREFIX = "/2015-03-31/functions/"
_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_JSON = ("content-type", "application/json")


class InvokeApi:
    """Invokes functions over HTTP, as the SDKs do.

    Args:
        runtime: Runs them.
        names: Theirs, by the name that each is deployed under.
    """

    def __init__(self, runtime: Runtime, names: Mapping[str, str] = _NO_NAMES) -> None:
        self._runtime = runtime
        self._names = names
        self._background: set[asyncio.Task[object]] = set()

    async def handle(self, request: Request) -> Response:
        """Answers one request."""
        name, _, action = request.path.removeprefix(_PREFIX).partition("/")
        if not request.path.startswith(_PREFIX) or action != "invocations":
            return _error(404, "ResourceNotFoundException", f"no such path: {request.path}")
        name = name.rpartition("function%3A")[2].rpartition("function:")[2]
        kind = request.header("x-amz-invocation-type") or "RequestResponse"
        name = self._names.get(name, name)
        if name not in self._runtime.workers():
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        if kind == "DryRun":
            return Response(204)
        payload = request.body or b"{}"
        if kind == "Event":
            task = asyncio.get_running_loop().create_task(self._runtime.invoke(name, payload))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
            return Response(202)
        return await self._invoke(name, payload)

    async def _invoke(self, name: str, payload: bytes) -> Response:
        try:
            result = await self._runtime.invoke(name, payload)
        except ThrottledError:
            return _error(429, "TooManyRequestsException", "Rate Exceeded.")
        except UnknownFunctionError:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        headers = [_JSON, ("x-amz-executed-version", "$LATEST")]
        if result.error is not None:
            headers.append(("x-amz-function-error", "Unhandled"))
        return Response(200, result.payload, headers)


def _error(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return Response(status, body, (_JSON, ("x-amzn-errortype", kind)))
