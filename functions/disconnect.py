"""Route `$disconnect`: best effort, for API Gateway does not promise it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap
from chalicelib.context import Context
from functions._websocket import lifecycle


def disconnect(_ctx: Context, request: Mapping[str, Any]) -> None:
    """Forgets the connection."""
    bootstrap.presence().disconnected(request["authorizer"]["user_id"], request["connectionId"])


handler = lifecycle("DISCONNECT", disconnect)
