"""Forgotten passwords, and the address where a reset goes."""

from __future__ import annotations

import hashlib

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_identity as identity
from chalicelib import bootstrap_limits as limits
from chalicelib.errors import ForbiddenError, InvalidCredentialsError, InvalidTokenError
from chalicelib.http.auth import GIVEN_PASSWORD, PASSWORD
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import JsonObject, obj, string
from chalicelib.http.users import EMAIL, USER, own
from chalicelib.logic.password_reset import RATE

api = Api("password_reset")


@api.route(
    "POST",
    "/v1/auth/password-reset",
    summary="Has a token sent to who forgot their password; never tells whether they exist.",
    auth=False,
    body=obj("PasswordReset", username=string(min_length=1, max_length=64)),
    status=202,
    errors=(ForbiddenError,),
)
def request(call: Call) -> None:
    """Enqueues the sending."""
    name = call.body["username"]
    limits.limiter().take(hashlib.sha256(name.lower().encode()).hexdigest(), RATE)
    identity.password_resets().request(call.ctx, name)


@api.route(
    "POST",
    "/v1/auth/password-reset/confirm",
    summary="Sets another password with the token, and ends all sessions.",
    auth=False,
    body=obj(
        "PasswordResetConfirm",
        token=string(min_length=1, max_length=128),
        new_password=PASSWORD,
    ),
    status=204,
    errors=(InvalidTokenError,),
)
def confirm(call: Call) -> None:
    """Spends the token."""
    identity.password_resets().confirm(call.body["token"], call.body["new_password"])


@api.route(
    "PUT",
    "/v1/auth/email",
    summary="Sets where a password reset goes, an empty text: nowhere; asks for my password.",
    body=obj("EmailChange", email=EMAIL, password=GIVEN_PASSWORD),
    answer=USER,
    errors=(InvalidCredentialsError,),
)
def change_email(call: Call) -> JsonObject:
    """Changes the caller's address."""
    with limits.login_lock().attempt(call.user_id, call.source_address):
        changed = accounts.auth().change_email(
            call.caller, call.body["password"], call.body["email"]
        )
    return own(changed)
