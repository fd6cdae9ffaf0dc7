"""Files: uploaded and downloaded with signed links, past this API."""

from __future__ import annotations

import time

from chalicelib import bootstrap_messaging as messaging
from chalicelib.errors import (
    ConversationNotFoundError,
    InvalidQueryError,
    NotFoundError,
    NotMemberError,
    TooLargeError,
)
from chalicelib.http.message_schema import ANY_SEQ, ATTACHMENT, ID
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import JsonObject, Schema, integer, obj, string, timestamp
from chalicelib.logic.policies import MAX_OBJECT_BYTES
from chalicelib.models import Attachment, rfc3339

api = Api("attachments")

NAME = string(
    min_length=1,
    max_length=255,
    pattern=r"[^/\\\x00-\x1f\x7f]+",
    description="a file name, without a path and control characters",
)
TYPE = string(
    max_length=127,
    pattern=r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*",
    description="a media type in lower case, without parameters",
)
_HEADERS: Schema = {
    "type": "object",
    "description": "to be sent as they are; a browser adds Content-Length by itself",
    "additionalProperties": string(),
}
UPLOAD = obj(
    "Upload",
    method=string(choices=("PUT",)),
    url=string(format="uri"),
    headers=_HEADERS,
    expires_at=timestamp(),
)


@api.route(
    "POST",
    "/v1/attachments",
    summary="Begins an upload: put the file to `upload`, then send a message with `attachment`. "
    "What is not sent for a day is deleted.",
    body=obj(
        "NewAttachment",
        name=NAME,
        size=integer(minimum=1, maximum=MAX_OBJECT_BYTES),
        content_type=TYPE,
    ),
    status=201,
    answer=obj("AttachmentUpload", attachment=ATTACHMENT, upload=UPLOAD),
    idempotent=True,
    errors=(TooLargeError,),
)
def create(call: Call) -> JsonObject:
    """The attachment, and where its file goes."""
    attachment = Attachment(
        id=call.operation_id, owner_id=call.user_id, created_at=time.time(), **call.body
    )
    upload, until = messaging.attachments().create(attachment)
    return {
        "attachment": attachment.body(),
        "upload": {
            "method": "PUT",
            "url": upload.url,
            "headers": dict(upload.headers),
            "expires_at": rfc3339(until),
        },
    }


@api.route(
    "GET",
    "/v1/attachments/{attachment_id}",
    summary="A link to download an attachment: of a message, by `conversation_id` and `seq`, "
    "an avatar, or one of mine.",
    query={"conversation_id": ID, "seq": ANY_SEQ},
    answer=obj("AttachmentLink", attachment=ATTACHMENT, url=string(), expires_at=timestamp()),
    errors=(NotFoundError, ConversationNotFoundError, NotMemberError),
)
def link(call: Call) -> JsonObject:
    """A link that is good for some minutes; whoever has it may download the file."""
    where = {name: call.query[name] for name in ("conversation_id", "seq") if name in call.query}
    if len(where) == 1:
        missing = "seq" if "seq" not in where else "conversation_id"
        raise InvalidQueryError.at(missing, "expected both conversation_id and seq, or none")
    found, url, until = messaging.attachments().link(
        call.user_id, call.path["attachment_id"], **where
    )
    return {"attachment": found.body(), "url": url, "expires_at": rfc3339(until)}
