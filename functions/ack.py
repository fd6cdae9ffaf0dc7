"""Route `ack`: everything up to a number is delivered, or read."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.frames import answer, parse_ack
from functions._websocket import Call, route


def ack(call: Call) -> str:
    """Moves the user's place, and answers how far it reaches now."""
    frame = parse_ack(call.body)
    reached = bootstrap.acks().ack(
        call.ctx, call.user_id, frame.conversation_id, frame.seq, frame.status
    )
    return answer(
        "acked",
        call.body,
        conversation_id=frame.conversation_id,
        seq=reached,
        status=frame.status.value,
    )


handler = route(ack)
