"""AWS over signed HTTP with nothing but the standard library.

A call through boto3 costs 1-3 ms of CPU and its import 300 ms and 30 MB (docs/decisions/0002);
the path of a message affords neither. One request is in flight on each kept connection; several
calls go out together on several connections and are read back in turn.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

_WINDOW = 32  # requests in flight at once; each has a connection of its own
_IDLE_SECONDS = 20.0  # AWS closes kept connections after some time; reconnect before it does
_TRANSIENT = frozenset({500, 502, 503, 504})


@dataclass(slots=True)
class AwsError(Exception):
    """An AWS service refused a call, or could not be reached (``status`` 0).

    Attributes:
        code: The error's name, for example ``ConditionalCheckFailedException``.
        message: What the service said.
        status: The HTTP status, 0 when there was no answer.
        item: ``Item`` of a failed condition, where it was asked for.
    """

    code: str
    message: str
    status: int
    item: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later."""
        return (
            self.status == 0
            or self.status in _TRANSIENT
            or self.code.startswith(("Throttling", "ProvisionedThroughput", "RequestLimit"))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What requests are signed with."""

    access_key: str
    secret_key: str
    token: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """Reads them from the environment, where Lambda puts them.

        Raises:
            AwsError: ``NoCredentials`` when they are not there.
        """
        try:
            return cls(
                access_key=os.environ["AWS_ACCESS_KEY_ID"],
                secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
                token=os.environ.get("AWS_SESSION_TOKEN", ""),
            )
        except KeyError as missing:
            raise AwsError("NoCredentials", f"{missing} is not in the environment", 0) from missing


class Signer:
    """Signature Version 4 for one service and region.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    def __init__(
        self, service: str, region: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._region = region
        self._clock = clock
        self._key = b""
        self._key_for: tuple[str, str] = ("", "")

    def headers(
        self, method: str, host: str, path: str, body: bytes, extra: Mapping[str, str]
    ) -> dict[str, str]:
        """The headers to send, ``extra`` and the signature among them."""
        credentials = Credentials.from_environment()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        headers = {"host": host, "x-amz-date": stamp, **extra}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            (
                method,
                quote(path, safe="/-_.~"),
                "",
                *(f"{name}:{headers[name]}" for name in sorted(headers)),
                "",
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        to_sign = "\n".join(
            ("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
        )
        key = self._signing_key(stamp[:8], credentials.secret_key)
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _signing_key(self, day: str, secret: str) -> bytes:
        if self._key_for != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key, self._key_for = key, (day, secret)
        return self._key


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to a service; ``path`` as it goes over the wire."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """Its answer; header names in lower case. ``status`` 0: nobody answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Connection:
    """One kept HTTP/1.1 connection with at most one request in flight."""

    def __init__(self, scheme: str, host: str, port: int, timeout: float) -> None:
        raw = socket.create_connection((host, port), timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = (
            ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            if scheme == "https"
            else raw
        )
        self._buffer = b""
        self.used_at = time.monotonic()
        self.fresh = True

    def close(self) -> None:
        self._socket.close()

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def receive(self) -> Response:
        """Reads one answer.

        Raises:
            OSError: The connection broke or timed out.
        """
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
        }
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._exactly(int(headers.get("content-length", "0")))
        self.used_at = time.monotonic()
        self.fresh = False
        if headers.get("connection", "").lower() == "close":
            self.used_at = float("-inf")
        return Response(status, headers, body)

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("closed by the service")
        self._buffer += data

    def _until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            self._more()
        found, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            body += self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")
        return body


class Endpoint:
    """Signed requests to one service at one address.

    Not for several threads at once. After a thaw of a frozen Lambda a kept connection may be
    dead: a request on a reused connection that breaks before an answer is sent once more.
    """

    def __init__(
        self, service: str, url: str, region: str, *, timeout: float = 10.0, window: int = _WINDOW
    ) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        default = parts.port is None or parts.port == {"https": 443, "http": 80}[parts.scheme]
        self._authority = self._host if default else f"{self._host}:{self._port}"
        self.path = parts.path.rstrip("/")
        self._signer = Signer(service, region)
        self._timeout = timeout
        self._window = window
        self._idle: list[_Connection] = []

    def request(self, request: Request) -> Response:
        """Sends one request and reads its answer."""
        return self.request_all((request,))[0]

    def request_all(self, requests: Sequence[Request]) -> list[Response]:
        """Sends several requests together; answers in their order, status 0 where none came."""
        answers: list[Response] = []
        flying: list[tuple[Request, _Connection | None]] = []
        for request in requests:
            if len(flying) == self._window:
                answers.append(self._finish(*flying.pop(0)))
            flying.append((request, self._launch(request, fresh=False)))
        answers.extend(self._finish(*one) for one in flying)
        return answers

    def close(self) -> None:
        """Closes the kept connections."""
        while self._idle:
            self._idle.pop().close()

    def _launch(self, request: Request, *, fresh: bool) -> _Connection | None:
        try:
            connection = self._take(fresh=fresh)
            connection.send(self._encode(request))
        except OSError:
            return None if fresh else self._launch(request, fresh=True)
        return connection

    def _finish(self, request: Request, connection: _Connection | None) -> Response:
        if connection is None:
            return Response(0, {}, b"no connection")
        try:
            answer = connection.receive()
        except TimeoutError:
            connection.close()
            return Response(0, {}, b"no answer in time")
        except (OSError, ValueError, IndexError) as error:
            connection.close()
            if connection.fresh:
                return Response(0, {}, str(error).encode())
            return self._finish(request, self._launch(request, fresh=True))
        self._idle.append(connection)
        return answer

    def _take(self, *, fresh: bool) -> _Connection:
        while self._idle and not fresh:
            connection = self._idle.pop()
            if time.monotonic() - connection.used_at < _IDLE_SECONDS:
                return connection
            connection.close()
        return _Connection(self._scheme, self._host, self._port, self._timeout)

    def _encode(self, request: Request) -> bytes:
        headers = self._signer.headers(
            request.method, self._authority, request.path, request.body, request.headers
        )
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        lines.append(f"content-length: {len(request.body)}\r\n\r\n")
        return "\r\n".join(lines).encode() + request.body


class JsonService:
    """A service that speaks AWS's JSON protocol (DynamoDB, Systems Manager)."""

    def __init__(self, endpoint: Endpoint, *, target: str, version: str) -> None:
        self._endpoint = endpoint
        self._target = target
        self._type = f"application/x-amz-json-{version}"

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Calls one operation.

        Raises:
            AwsError: The service refused it, or could not be reached.
        """
        result = self.call_all(((operation, arguments),))[0]
        if isinstance(result, AwsError):
            raise result
        return result

    def call_all(
        self, calls: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> list[dict[str, Any] | AwsError]:
        """Calls several operations together; each result in its place, errors too."""
        requests = [
            Request(
                "POST",
                "/",
                json.dumps(arguments, ensure_ascii=False, separators=(",", ":")).encode(),
                {"content-type": self._type, "x-amz-target": f"{self._target}.{operation}"},
            )
            for operation, arguments in calls
        ]
        return [_result(response) for response in self._endpoint.request_all(requests)]


def _result(response: Response) -> dict[str, Any] | AwsError:
    if response.status == 0:
        return AwsError("Unreachable", response.body.decode(errors="replace"), 0)
    try:
        body: dict[str, Any] = json.loads(response.body or b"{}")
    except ValueError:
        return AwsError("Malformed", response.body[:200].decode(errors="replace"), response.status)
    if response.status < 300:
        return body
    code = str(body.get("__type", "")).rpartition("#")[2] or "Unknown"
    message = body.get("message") or body.get("Message") or ""
    return AwsError(code, str(message), response.status, body.get("Item"))


def endpoint_url(service: str, region: str) -> str:
    """The address of a service: ``AWS_ENDPOINT_URL_<SERVICE>``, ``AWS_ENDPOINT_URL``, or AWS.

    The variables are those of every AWS SDK:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    return (
        os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.amazonaws.com"
    )


def region() -> str:
    """The region from the environment, as Lambda sets it."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def dynamodb() -> JsonService:
    """A client for DynamoDB."""
    where = Endpoint("dynamodb", endpoint_url("dynamodb", region()), region())
    return JsonService(where, target="DynamoDB_20120810", version="1.0")


def parameter_store() -> JsonService:
    """A client for Systems Manager, of which Parameter Store is a part."""
    where = Endpoint("ssm", endpoint_url("ssm", region()), region())
    return JsonService(where, target="AmazonSSM", version="1.1")
