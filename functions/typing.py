"""Route `typing`: the other members see that the user writes; the route answers nothing."""

from __future__ import annotations

from chalicelib import bootstrap_presence
from chalicelib.frames import parse_typing
from functions._websocket import Call, route


def typing(call: Call) -> str:
    """Tells the others; API Gateway drops what a route without a response returns."""
    bootstrap_presence.typing().tell(call.user_id, parse_typing(call.body))
    return ""


handler = route(typing)
