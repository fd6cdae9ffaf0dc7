"""Tokens that my devices are notified by while I am offline."""

from __future__ import annotations

from chalicelib import bootstrap_push as push
from chalicelib.errors import InvalidFieldError, LimitReachedError, NotFoundError
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import obj, string
from chalicelib.models import PushPlatform

api = Api("push_tokens")

_PATH = "/v1/users/me/push-tokens/{device_id}"
_MAX_TOKEN = 4096  # FCM's are the longest, at present some 160


@api.route(
    "PUT",
    _PATH,
    summary="Has this device notified of messages while I am offline; again after each log-in and "
    "whenever its token changes.",
    body=obj(
        "PushToken",
        platform=string(choices=[one.value for one in PushPlatform]),
        token=string(min_length=1, max_length=_MAX_TOKEN, description="as the platform gave it"),
    ),
    status=204,
    errors=(NotFoundError, InvalidFieldError, LimitReachedError),
)
def register(call: Call) -> None:
    """Takes the token of the device that asks."""
    push.push_tokens().register(
        call.caller,
        call.path["device_id"],
        PushPlatform(call.body["platform"]),
        call.body["token"],
    )


@api.route(
    "DELETE",
    _PATH,
    summary="Has a device of mine notified no longer, as a log-out does; no fault if it is not.",
    status=204,
)
def remove(call: Call) -> None:
    """Forgets the token of one of the caller's devices."""
    push.push_tokens().forget(call.user_id, call.path["device_id"])
