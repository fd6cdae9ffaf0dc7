"""Taking one's data along, and leaving."""

from __future__ import annotations

from chalicelib import bootstrap_data as data
from chalicelib.errors import ConflictError
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import JsonObject, obj, optional, string, timestamp
from chalicelib.models import ExportStatus, rfc3339

api = Api("account")

EXPORT = obj(
    "Export",
    id=string(),
    status=string(choices=[status.value for status in ExportStatus]),
    started_at=timestamp(),
    url=optional(string(description="where anybody who has it downloads the data, as JSON")),
    expires_at=optional(timestamp()),
)


@api.route(
    "GET",
    "/v1/users/me/data",
    summary="All that is kept of me: 202 while it is gathered, later a link that is good for an "
    "hour. Ask again for another link; after a day it is gathered anew.",
    status=202,
    other_statuses=(200,),
    answer=EXPORT,
)
def export(call: Call) -> Answer:
    """Begins an export, or says how far it has come."""
    found = data.exports().ask(call.ctx, call.user_id)
    body: JsonObject = {
        "id": found.id,
        "status": found.status.value,
        "started_at": rfc3339(found.started_at),
    }
    if found.status is ExportStatus.RUNNING:
        return Answer(body=body)
    url, until = data.exports().link(found)
    return Answer(body={**body, "url": url, "expires_at": rfc3339(until)}, status=200)


@api.route(
    "DELETE",
    "/v1/users/me/data",
    summary="Deletes my account: it is closed at once, and erased soon after. There is no way "
    "back, and nobody gets the name.",
    status=202,
    errors=(ConflictError,),
)
def erase(call: Call) -> None:
    """Closes the caller's account and has it erased."""
    data.erasure().begin(call.ctx, call.caller)
