"""Lambda behind a route: the proxy integration of WebSocket APIs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from localstack.emulator.invocation import Invocation
from localstack.emulator.runtime import ThrottledError
from localstack.emulator.template import Route

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 29.0  # API Gateway quota: integration timeout


class Invoker(Protocol):
    """Invokes Lambda functions."""

    async def invoke(self, function: str, payload: bytes) -> Invocation:
        """Invokes a function and waits for its answer."""


class Integration:
    """Invokes functions for a gateway; what goes wrong there is None here."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def answer(self, route: Route, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """The proxy's answer; None when the function failed, timed out or it is malformed."""
        result = await self.call(route.function, event, route.timeout_seconds)
        if result is None or result.error is not None:
            return None
        try:
            answer = json.loads(result.payload)
            int(answer["statusCode"])
        except (ValueError, TypeError, KeyError):
            return None
        return dict(answer)

    async def call(
        self, function: str, event: Mapping[str, Any], timeout_seconds: float = TIMEOUT_SECONDS
    ) -> Invocation | None:
        """What the function came to; None when there is nothing in time."""
        payload = json.dumps(event, separators=(",", ":")).encode()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._invoker.invoke(function, payload)
        except (TimeoutError, ThrottledError):
            return None
        except Exception:
            logger.exception("invocation failed: %s", function)
            return None
