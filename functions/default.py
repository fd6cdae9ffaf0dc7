"""Route `$default`: what no other route takes gets an error, and the connection lives on."""

from __future__ import annotations

from chalicelib.frames import unknown_type
from functions._websocket import Call, route


def default(call: Call) -> str:
    """Refuses the frame."""
    raise unknown_type(call.body)


handler = route(default)
