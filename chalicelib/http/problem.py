"""Errors as RFC 9457 problem documents: https://www.rfc-editor.org/rfc/rfc9457."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from chalice.app import Response

from chalicelib.errors import IMError
from chalicelib.http.schema import array, integer, obj, optional, string

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 1.0

SCHEMA = obj(
    "Problem",
    type=string(format="uri"),
    title=string(),
    status=integer(minimum=400, maximum=599),
    detail=string(),
    code=string(description="The stable machine-readable name of the error."),
    trace_id=string(description="To be named when reporting the error."),
    errors=optional(array(obj("FieldError", field=string(), message=string()))),
    retry_after=optional(integer(minimum=0)),
)


def problem(error: IMError, trace_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed with ``error``."""
    document: dict[str, Any] = {
        "type": f"urn:lambchat:error:{error.code}",
        "title": error.title,
        "status": error.http_status,
        "detail": str(error),
        "code": error.code,
        "trace_id": trace_id,
    }
    if error.errors:
        document["errors"] = [{"field": e.field, "message": e.message} for e in error.errors]
    extra: dict[str, str | list[str]] = {
        "Content-Type": MEDIA_TYPE,
        "Cache-Control": "no-store",
        **(headers or {}),
    }
    if error.http_status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    retry_after = error.retry_after
    if retry_after is None and error.retryable:
        retry_after = _RETRY_SECONDS
    if retry_after is not None:
        document["retry_after"] = math.ceil(retry_after)
        extra["Retry-After"] = str(math.ceil(retry_after))
    body = json.dumps(document, ensure_ascii=False)
    return Response(body=body, status_code=error.http_status, headers=extra)
