"""Log-in with OpenID providers, and linking such identities to one's account."""

from __future__ import annotations

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_identity as identity
from chalicelib.errors import (
    BannedError,
    ConflictError,
    InvalidFieldError,
    InvalidTokenError,
    NotFoundError,
    UnauthorizedError,
    UsernameTakenError,
)
from chalicelib.http.auth import DEVICE_ID, TOKENS, shown
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import JsonObject, integer, nullable, obj, optional, string
from chalicelib.logic.ids import new_id
from chalicelib.logic.oidc import STATE_SECONDS, Started

api = Api("oidc")

REDIRECT_URI = string(
    min_length=1, max_length=512, description="one that the operator has listed; else the first"
)
STARTED = obj(
    "OidcStart",
    authorization_url=string(format="uri"),
    state=string(description="keep it, and refuse an answer of the provider with another one"),
    expires_in=integer(minimum=1),
)
CODE = string(min_length=1, max_length=2048)
STATE = string(min_length=1, max_length=128)


@api.route(
    "GET",
    "/v1/auth/oidc/{provider}",
    summary="Begins a log-in with an OpenID provider: where to send the user.",
    auth=False,
    query={"redirect_uri": REDIRECT_URI},
    answer=STARTED,
    errors=(NotFoundError, InvalidFieldError),
)
def start(call: Call) -> JsonObject:
    """Where the user goes."""
    return _started(
        identity.oidc().start(call.path["provider"], redirect_uri=call.query.get("redirect_uri"))
    )


@api.route(
    "POST",
    "/v1/auth/oidc/{provider}/callback",
    summary="Finishes a log-in with what the provider sent back; the first makes an account.",
    auth=False,
    body=obj(
        "OidcCallback",
        code=CODE,
        state=STATE,
        device_id=optional(nullable(DEVICE_ID)),
        device_name=optional(nullable(string(max_length=64))),
    ),
    answer=TOKENS,
    errors=(
        NotFoundError,
        InvalidTokenError,
        UnauthorizedError,
        BannedError,
        UsernameTakenError,
    ),
)
def callback(call: Call) -> JsonObject:
    """Opens a session; without a device id on a new device."""
    user_id = identity.oidc().login(
        call.path["provider"], code=call.body["code"], state=call.body["state"]
    )
    return shown(
        accounts.auth().open_session(
            user_id,
            device_id=call.body.get("device_id") or new_id(),
            device_name=call.body.get("device_name") or "",
        )
    )


@api.route(
    "POST",
    "/v1/auth/oidc/{provider}/link",
    summary="Begins the linking of an identity at a provider to my account.",
    body=obj("OidcLink", redirect_uri=optional(REDIRECT_URI)),
    body_optional=True,
    answer=STARTED,
    errors=(NotFoundError,),
)
def start_link(call: Call) -> JsonObject:
    """Where the user goes to show that the identity is theirs."""
    return _started(
        identity.oidc().start(
            call.path["provider"],
            redirect_uri=call.body.get("redirect_uri"),
            user_id=call.user_id,
        )
    )


@api.route(
    "POST",
    "/v1/auth/oidc/{provider}/link/callback",
    summary="Links the identity to my account; I can log in with it from now on.",
    body=obj("OidcLinkCallback", code=CODE, state=STATE),
    status=204,
    errors=(NotFoundError, InvalidTokenError, ConflictError),
)
def link(call: Call) -> None:
    """Finishes the linking."""
    identity.oidc().link(
        call.user_id, call.path["provider"], code=call.body["code"], state=call.body["state"]
    )


def _started(started: Started) -> JsonObject:
    return {
        "authorization_url": started.authorization_url,
        "state": started.state,
        "expires_in": STATE_SECONDS,
    }
