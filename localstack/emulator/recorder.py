"""Writes down which function calls what in AWS: what its IAM policy must allow.

Each function gets an address of its own for each service, where a relay reads its requests along.
A line of the file is ``function action resource``, each once.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import httptools

from localstack.emulator.declarations import Function
from localstack.emulator.httpmessages import Request

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_HOST = "127.0.0.1"
# IAM knows a transaction by the actions that it is made of.
_OF_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
# By method and the sub-resource in the query; what has no row is named by its method.
_OF_S3 = {
    ("GET", ""): "GetObject",
    ("HEAD", ""): "GetObject",
    ("PUT", ""): "PutObject",
    ("DELETE", ""): "DeleteObject",
    ("POST", "uploads"): "PutObject",
    ("PUT", "uploadId"): "PutObject",
    ("POST", "uploadId"): "PutObject",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("POST", "delete"): "DeleteObject",
    ("GET", "tagging"): "GetObjectTagging",
    ("PUT", "tagging"): "PutObjectTagging",
    ("GET", "list-type"): "ListBucket",
    ("GET", "uploads"): "ListBucketMultipartUploads",
}
_ENDPOINT_ID = re.compile(r"/[0-9a-f-]{36}$")
_OF_SNS = ("TargetArn", "EndpointArn", "PlatformApplicationArn")
_OF_WHOLE_BUCKETS = ("ListBucket", "ListBucketMultipartUploads")


class Recorder:
    """Appends to a file what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._relays: list[tuple[socket.socket, str, SplitResult]] = []
        self._servers: list[asyncio.Server] = []

    def attach(
        self, functions: Mapping[str, Function], environment: Mapping[str, str]
    ) -> dict[str, Function]:
        """The functions with addresses of their own for all that answers on this machine."""
        return {name: self._attached(one, environment) for name, one in functions.items()}

    def _attached(self, function: Function, environment: Mapping[str, str]) -> Function:
        variables = {**environment, **function.environment}
        own = {
            name: self._relay(function.name, url)
            for name, url in variables.items()
            if url.startswith(f"http://{_HOST}:")
        }
        return replace(function, environment={**function.environment, **own})

    def _relay(self, function: str, url: str) -> str:
        parts = urlsplit(url)
        listening = socket.create_server((_HOST, 0))
        self._relays.append((listening, function, parts))
        return parts._replace(netloc=f"{_HOST}:{listening.getsockname()[1]}").geturl()

    async def start(self) -> None:
        """Begins to pass on."""
        for listening, function, to in self._relays:
            connected = partial(self._connected, function, to)
            self._servers.append(await asyncio.start_server(connected, sock=listening))

    def close(self) -> None:
        """Takes no more connections."""
        for server in self._servers:
            server.close()

    async def _connected(
        self,
        function: str,
        to: SplitResult,
        client: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        try:
            service, forth = await asyncio.open_connection(to.hostname, to.port)
        except OSError:
            back.close()
            return
        listener = _Listener(partial(self.note, function))
        await asyncio.gather(_pump(client, forth, listener), _pump(service, back, None))

    def note(self, function: str, request: Request) -> None:
        """Takes a request; one that is not signed needs no permission."""
        signed = _SERVICE.search(request.header("authorization") or "")
        if signed is None:
            return
        for action, resource in actions(signed[1], request):
            line = f"{function} {signed[1]}:{action} {resource}\n"
            if line not in self._seen:
                self._seen.add(line)
                with self._path.open("a") as file:
                    file.write(line)


class _Listener:
    """Reads the requests of one connection along; called by httptools."""

    def __init__(self, note: Callable[[Request], None]) -> None:
        self._note = note
        self._parser = httptools.HttpRequestParser(self)
        self.on_message_begin()

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._target, self._body = b"", b""
        self._headers: list[tuple[str, str]] = []

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        target = self._target.decode("latin-1")
        self._note(Request(method, target, self._headers, self._body, ""))


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, listener: _Listener | None
) -> None:
    try:
        while data := await source.read(65536):
            if listener is not None:
                listener.feed(data)
            sink.write(data)
            await sink.drain()
    except OSError:
        return
    finally:
        sink.close()


def actions(service: str, request: Request) -> Iterator[tuple[str, str]]:
    """What IAM calls a request: actions, each with the resource that it is about."""
    operation = (request.header("x-amz-target") or "").rpartition(".")[2]
    if service == "s3":
        yield _s3(request)
    elif service == "execute-api":
        yield "ManageConnections", request.method
    elif service == "lambda":
        yield "InvokeFunction", unquote(request.path.split("/")[3])
    elif service == "sns":
        yield _sns(parse_qs(request.body.decode()))
    elif not operation:
        yield request.method, unquote(request.path)
    else:
        arguments = json.loads(request.body or b"{}")
        about = _dynamodb if service == "dynamodb" else _named
        yield from about(operation, arguments)


def _dynamodb(operation: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for part in arguments.get("TransactItems", ()):
        for kind, own in part.items():
            yield _OF_TRANSACTIONS[kind], own["TableName"]
    for table in arguments.get("RequestItems", ()):
        yield operation, table
    if "TableName" in arguments:
        index = arguments.get("IndexName")
        yield operation, arguments["TableName"] + (f"/index/{index}" if index else "")


def _named(operation: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    one = arguments.get("Name") or arguments.get("Path") or "*"
    for name in arguments.get("Names") or (one,):
        yield operation, name


def _sns(form: Mapping[str, list[str]]) -> tuple[str, str]:
    arn = next((form[name][0] for name in _OF_SNS if name in form), "*")
    return form["Action"][0], _ENDPOINT_ID.sub("/*", arn)


def _s3(request: Request) -> tuple[str, str]:
    asked = parse_qs(request.query, keep_blank_values=True)
    below = next((name for _, name in _OF_S3 if name and name in asked), "")
    action = _OF_S3.get((request.method, below), request.method)
    bucket = unquote(request.path).split("/")[1]
    return action, bucket if action in _OF_WHOLE_BUCKETS else f"{bucket}/*"
