"""Services that speak AWS's JSON protocol, and where they answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.aws.connection import Request, Response
from chalicelib.aws.endpoint import Endpoint, Guard
from chalicelib.aws.errors import AwsError


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
        wait = response.headers.get("retry-after")
        text = response.body.decode(errors="replace")
        return AwsError("Unreachable", text, 0, retry_after=float(wait) if wait else None)
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


def dynamodb(*, guard: Guard | None = None, timeout: float = 10.0) -> JsonService:
    """A client for DynamoDB, which waits so many seconds for an answer."""
    url = endpoint_url("dynamodb", region())
    where = Endpoint("dynamodb", url, region(), timeout=timeout, guard=guard)
    return JsonService(where, target="DynamoDB_20120810", version="1.0")


def parameter_store(*, guard: Guard | None = None) -> JsonService:
    """A client for Systems Manager, of which Parameter Store is a part."""
    where = Endpoint("ssm", endpoint_url("ssm", region()), region(), guard=guard)
    return JsonService(where, target="AmazonSSM", version="1.1")
