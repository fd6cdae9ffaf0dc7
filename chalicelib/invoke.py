"""Calls Lambda functions and waits for their answers."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import quote

from chalicelib.aws import Endpoint, Request, endpoint_url, region
from chalicelib.errors import UnavailableError


def invoke(function: str, payload: Any, *, timeout_seconds: float) -> Any:
    """Calls a function.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

    Args:
        function: Its name or ARN.
        payload: What it gets, fit for JSON.
        timeout_seconds: How long to wait.

    Returns:
        What it answers, read from JSON.

    Raises:
        UnavailableError: It is away, throttled, unknown, failed, or too slow.
    """
    path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
    body = json.dumps(payload, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    answer = _endpoint(timeout_seconds).request(Request("POST", path, body, headers))
    if answer.status != 200:
        raise UnavailableError(f"the function {function} was not run: {answer.status}")
    if failure := answer.headers.get("x-amz-function-error"):
        raise UnavailableError(f"the function {function} failed: {failure}")
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise UnavailableError(f"the function {function} answered no JSON") from error


@cache
def _endpoint(timeout_seconds: float) -> Endpoint:
    url = endpoint_url("lambda", region())
    return Endpoint("lambda", url, region(), timeout=timeout_seconds)
