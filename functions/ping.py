"""Route `ping`: keeps the connection from idling out, for API Gateway lets no server ping."""

from __future__ import annotations

import time

from chalicelib.frames import answer
from chalicelib.models import rfc3339
from functions._websocket import Call, route


def ping(call: Call) -> str:
    """Answers with the time."""
    return answer("pong", call.body, server_time=rfc3339(time.time()))


handler = route(ping)
