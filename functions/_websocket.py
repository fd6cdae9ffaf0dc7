"""What every WebSocket route does around its one call: read, answer, map errors, log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import bootstrap
from chalicelib import bootstrap_limits as limits
from chalicelib.context import Context, lambda_context
from chalicelib.errors import IMError, InternalError
from chalicelib.frames import error_frame, parse_object, reference, unknown_type
from chalicelib.logs import new_logger
from functions._entry import entry

Event = Mapping[str, Any]
Answer = dict[str, Any]
_ANSWER_SECONDS = 9.0  # the contract: every frame is answered within 10 s

logger = new_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A frame, and who sent it: identity comes from the authorizer, never from the frame."""

    ctx: Context
    user_id: str
    connection_id: str
    body: Mapping[str, Any]


def route(handle: Callable[[Call], str]) -> Callable[[Event, object], Answer]:
    """A handler for frames: its text, or the error's, goes back on the same connection."""

    def handler(event: Event, _context: object) -> Answer:
        request = event["requestContext"]
        user_id = request["authorizer"]["user_id"]
        ctx = lambda_context(user=user_id, timeout=_ANSWER_SECONDS)
        body: Mapping[str, Any] = {}
        try:
            body = parse_object(event.get("body"))
            limits.limiter().take(user_id, f"frame {handle.__name__}", "frame")
            call = Call(ctx=ctx, user_id=user_id, connection_id=request["connectionId"], body=body)
            text = handle(call)
        except IMError as error:
            text = _refuse(error, body, ctx)
        except Exception:
            logger.exception("frame failed", extra={"trace_id": ctx.trace_id})
            text = _refuse(InternalError(), body, ctx)
        return {"statusCode": 200, "body": text}

    return entry(handler)


def lifecycle(
    event_type: str, handle: Callable[[Context, Mapping[str, Any]], None]
) -> Callable[[Event, object], Answer]:
    """A handler for ``$connect`` or ``$disconnect``.

    A client may send a frame whose type is the name of the route: that is no such event.
    """

    def handler(event: Event, _context: object) -> Answer:
        request = event["requestContext"]
        if request["eventType"] != event_type:
            text = error_frame(unknown_type({"type": request["routeKey"]}))
            bootstrap.pusher().post(request["connectionId"], text)
            return {"statusCode": 200}
        ctx = lambda_context(user=request["authorizer"]["user_id"], timeout=_ANSWER_SECONDS)
        fields = {"trace_id": ctx.trace_id, "connection_id": request["connectionId"]}
        try:
            handle(ctx, request)
        except IMError as error:
            logger.warning("%s refused", event_type, extra={**fields, "code": error.code})
            return {"statusCode": error.http_status}
        logger.info(event_type.lower(), extra={**fields, "user_id": ctx.user})
        return {"statusCode": 200}

    return entry(handler)


def _refuse(error: IMError, body: Mapping[str, Any], ctx: Context) -> str:
    logger.info("refused", extra={"trace_id": ctx.trace_id, "code": error.code})
    return error_frame(error, reference(body, "client_msg_id", "ref"))
