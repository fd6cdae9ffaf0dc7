"""Route `$connect`: the connection is registered, and its backlog ordered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap
from chalicelib.context import Context
from functions._websocket import lifecycle


def connect(_ctx: Context, request: Mapping[str, Any]) -> None:
    """Registers the connection for the user and device that the authorizer established."""
    who = request["authorizer"]
    bootstrap.presence().connect(
        who["user_id"], who["device_id"], who["session_id"], request["connectionId"]
    )


handler = lifecycle("CONNECT", connect)
