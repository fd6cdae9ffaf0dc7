"""Route `send`: messages are accepted, and answered once Kafka has them."""

from __future__ import annotations

from typing import Any

from chalicelib import bootstrap
from chalicelib import bootstrap_limits as limits
from chalicelib.frames import Rejected, answer, parse_send
from chalicelib.logic.messages import Accepted
from functions._websocket import Call, logger, route


def send(call: Call) -> str:
    """Sends one message, or each of up to 25 with its own result."""
    frame = parse_send(call.body)
    limits.limiter().take(call.user_id, "message", cost=len(frame.drafts))
    results = bootstrap.messages().send_message(call.ctx, call.user_id, frame.drafts)
    logger.info("accepted", extra={"trace_id": call.ctx.trace_id, "messages": len(results)})
    if frame.batch:
        return answer("sent", call.body, messages=[_result(one) for one in results])
    if isinstance(results[0], Rejected):
        raise results[0].error
    return answer("sent", call.body, **_result(results[0]))


def _result(one: Accepted | Rejected) -> dict[str, Any]:
    if isinstance(one, Rejected):
        error = {"code": one.error.code, "message": str(one.error)}
        return {"client_msg_id": one.client_msg_id, "error": error}
    return {
        "client_msg_id": one.client_msg_id,
        "message_id": one.message_id,
        "conversation_id": one.conversation_id,
        "created_at": one.created_at,
    }


handler = route(send)
