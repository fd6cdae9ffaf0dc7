"""What I want of a conversation: silence, a place at the top, a draft kept, not to see it."""

from __future__ import annotations

from typing import Any

from chalicelib import bootstrap_presence as presence
from chalicelib.errors import (
    ConversationNotFoundError,
    NotMemberError,
    TooLargeError,
)
from chalicelib.frames import MAX_CONTENT_BYTES
from chalicelib.http.conversation_view import DRAFT, SETTINGS
from chalicelib.http.moments import UNTIL, seconds_of
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import JsonObject, any_of, boolean, obj, optional, some_of, string
from chalicelib.models import FOREVER

api = Api("settings")

_ACCESS = (ConversationNotFoundError, NotMemberError)


@api.route(
    "PUT",
    "/v1/conversations/{conversation_id}/settings",
    summary="Mutes a conversation for me, until a time or for good, and pins it.",
    body=any_of(
        obj(
            "Unmuting",
            muted=boolean(False),
            muted_until=optional({"type": "null"}),
            pinned=optional(boolean()),
        ),
        some_of("SettingsChange", muted=boolean(True), muted_until=UNTIL, pinned=boolean()),
    ),
    answer=SETTINGS,
    errors=_ACCESS,
)
def change(call: Call) -> JsonObject:
    """Changes the members that are given."""
    settings = presence.settings()
    changes = _changes(call.body)
    return settings.shown(settings.change(call.user_id, call.path["conversation_id"], changes))


@api.route(
    "PUT",
    "/v1/conversations/{conversation_id}/draft",
    summary="Keeps what I have begun to write, for all my devices.",
    body=obj("NewDraft", content=string(description=f"at most {MAX_CONTENT_BYTES} bytes of UTF-8")),
    answer=DRAFT,
    errors=(*_ACCESS, TooLargeError),
)
def save_draft(call: Call) -> JsonObject:
    """The last one that is saved stands."""
    saved = presence.settings().save_draft(
        call.user_id, call.path["conversation_id"], call.body["content"]
    )
    return {"content": saved.draft, "updated_at": saved.draft_at}


@api.route(
    "DELETE",
    "/v1/conversations/{conversation_id}/draft",
    summary="Forgets it; no fault where there is none.",
    status=204,
    errors=_ACCESS,
)
def delete_draft(call: Call) -> None:
    """Forgets the draft."""
    presence.settings().save_draft(call.user_id, call.path["conversation_id"], "")


@api.route(
    "DELETE",
    "/v1/conversations/{conversation_id}",
    summary="Takes a conversation from my list until its next message; nothing of it is deleted.",
    status=204,
    errors=_ACCESS,
)
def hide(call: Call) -> None:
    """Hides the conversation."""
    presence.settings().hide(call.user_id, call.path["conversation_id"])


def _changes(body: JsonObject) -> dict[str, Any]:
    changes = {"pinned": body["pinned"]} if "pinned" in body else {}
    until = body.get("muted_until")
    if until is not None:
        changes["muted_until"] = seconds_of("muted_until", until)
    elif "muted" in body:
        changes["muted_until"] = FOREVER if body["muted"] else 0.0
    elif "muted_until" in body:
        changes["muted_until"] = 0.0
    return changes
