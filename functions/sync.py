"""Route `sync`: the client catches up."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.frames import answer, parse_sync
from functions._websocket import Call, route


def sync(call: Call) -> str:
    """Sends what is missing as `messages` frames, then says whether there is more."""
    frame = parse_sync(call.body)
    more = bootstrap.sync().sync(call.user_id, call.connection_id, frame.cursors)
    return answer("synced", call.body, more=more)


handler = route(sync)
