"""Route `presence`: somebody looks at this connection, or nobody does."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.frames import answer, parse_presence
from chalicelib.models import PresenceStatus
from functions._websocket import Call, route


def presence(call: Call) -> str:
    """Takes note; friends are told if that changes how they see the user."""
    away = parse_presence(call.body) is PresenceStatus.AWAY
    bootstrap.presence().look(call.user_id, call.connection_id, away=away)
    return answer("ok", call.body)


handler = route(presence)
