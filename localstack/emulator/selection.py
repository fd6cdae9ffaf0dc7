r"""Route selection expressions of WebSocket APIs.

Source: apigateway-websocket-api-selection-expressions: ``$request.body.a.b``,
``${request.body.a}/${request.body.b}``, ``\$default`` for the text itself; a missing value is
empty, other values are stringified.
"""

from __future__ import annotations

import json
import re
from typing import Any

_WRAPPED = re.compile(r"\$\{request\.body\.([A-Za-z0-9_.-]+)\}")
_PLAIN = re.compile(r"\$request\.body\.([A-Za-z0-9_.-]+)")


class RouteSelection:
    """Finds the route key in a frame."""

    def __init__(self, expression: str) -> None:
        plain = _PLAIN.fullmatch(expression)
        # Texts and, at odd places, paths: what re.split makes of one group.
        self._parts = ["", plain[1], ""] if plain else _WRAPPED.split(expression)
        self._parts[::2] = [text.replace("\\$", "$") for text in self._parts[::2]]

    def key(self, text: str) -> str | None:
        """The route key that a frame selects, or None when the frame is not JSON."""
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return "".join(
            _value(body, part) if at % 2 else part for at, part in enumerate(self._parts)
        )


def _value(body: Any, path: str) -> str:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    if body is None:
        return ""
    if isinstance(body, str):
        return body
    return json.dumps(body, separators=(",", ":"))
