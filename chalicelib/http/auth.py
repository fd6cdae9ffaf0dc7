"""Accounts and sessions."""

from __future__ import annotations

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_limits as limits
from chalicelib.errors import (
    BannedError,
    InvalidCredentialsError,
    TokenReusedError,
    UsernameTakenError,
)
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    boolean,
    integer,
    nullable,
    obj,
    optional,
    page_of,
    string,
    timestamp,
)
from chalicelib.http.users import NICKNAME, USER, USERNAME, own
from chalicelib.logic.auth import Tokens
from chalicelib.logic.ids import new_id
from chalicelib.models import Session, rfc3339

api = Api("auth")

PASSWORD = string(min_length=8, max_length=128, format="password")
GIVEN_PASSWORD = string(min_length=1, max_length=128, format="password")
DEVICE_ID = string(
    min_length=1,
    max_length=64,
    pattern=r"[A-Za-z0-9_-]+",
    description="letters a-z, digits, _ and -",
)
TOKENS = obj(
    "Tokens",
    user=USER,
    device_id=string(),
    access_token=string(),
    refresh_token=string(),
    expires_in=integer(minimum=1),
)
SESSION = obj(
    "Session",
    device_id=string(),
    device_name=string(),
    created_at=timestamp(),
    last_used_at=timestamp(),
    expires_at=timestamp(),
    current=boolean(),
)


@api.route(
    "POST",
    "/v1/auth/register",
    summary="Creates an account. The name keeps its case and is unique whatever its case.",
    auth=False,
    body=obj("Registration", username=USERNAME, password=PASSWORD, nickname=optional(NICKNAME)),
    status=201,
    answer=USER,
    errors=(UsernameTakenError,),
    idempotent=True,
)
def register(call: Call) -> JsonObject:
    """Creates an account."""
    user = accounts.auth().register(
        call.body["username"],
        call.body["password"],
        nickname=call.body.get("nickname", ""),
        user_id=call.operation_id,
    )
    return own(user)


@api.route(
    "POST",
    "/v1/auth/login",
    summary="Opens a session on a device, in place of the device's earlier one.",
    auth=False,
    body=obj(
        "Login",
        username=string(min_length=1, max_length=64),
        password=GIVEN_PASSWORD,
        device_id=optional(nullable(DEVICE_ID)),
        device_name=optional(nullable(string(max_length=64))),
    ),
    answer=TOKENS,
    errors=(InvalidCredentialsError, BannedError),
)
def login(call: Call) -> JsonObject:
    """Opens a session; without a device id on a new device."""
    with limits.login_lock().attempt(call.body["username"], call.source_address):
        tokens = accounts.auth().login(
            call.body["username"],
            call.body["password"],
            device_id=call.body.get("device_id") or new_id(),
            device_name=call.body.get("device_name") or "",
        )
    return shown(tokens)


@api.route(
    "POST",
    "/v1/auth/refresh",
    summary="Exchanges a refresh token for a new pair; using one twice ends the session.",
    auth=False,
    body=obj("Refresh", refresh_token=string(min_length=1, max_length=512)),
    answer=TOKENS,
    errors=(TokenReusedError,),
)
def refresh(call: Call) -> JsonObject:
    """Spends a refresh token."""
    return shown(accounts.auth().refresh(call.body["refresh_token"]))


@api.route(
    "POST",
    "/v1/auth/logout",
    summary="Ends this device's session, or all of mine; connections close, tokens are refused.",
    body=obj("Logout", all_devices=optional(boolean())),
    body_optional=True,
    status=204,
)
def logout(call: Call) -> None:
    """Ends one session or all."""
    if call.body.get("all_devices"):
        accounts.sessions().end_all(call.user_id)
    else:
        accounts.sessions().end(call.user_id, call.caller.device_id)


@api.route(
    "GET",
    "/v1/auth/sessions",
    summary="My sessions, one for each device, the last used first; at most 30.",
    answer=page_of("Sessions", SESSION),
)
def sessions(call: Call) -> JsonObject:
    """The caller's sessions."""
    found = accounts.sessions().of_user(call.user_id)
    items = [_session(one, current=one.id == call.caller.session_id) for one in found]
    return {"items": items, "next_cursor": None}


@api.route(
    "DELETE",
    "/v1/auth/sessions/{device_id}",
    summary="Ends the session of one of my devices; no fault when it has none.",
    status=204,
)
def end_session(call: Call) -> None:
    """Ends the session of a device."""
    accounts.sessions().end(call.user_id, call.path["device_id"])


@api.route(
    "POST",
    "/v1/auth/password",
    summary="Changes my password and ends the sessions of my other devices.",
    body=obj("PasswordChange", old_password=GIVEN_PASSWORD, new_password=PASSWORD),
    status=204,
    errors=(InvalidCredentialsError,),
)
def change_password(call: Call) -> None:
    """Changes the caller's password."""
    with limits.login_lock().attempt(call.user_id, call.source_address):
        accounts.auth().change_password(
            call.caller, call.body["old_password"], call.body["new_password"]
        )


def shown(tokens: Tokens) -> JsonObject:
    """The answer to a log-in."""
    return {
        "user": own(tokens.user),
        "device_id": tokens.device_id,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_in": tokens.expires_in,
    }


def _session(session: Session, *, current: bool) -> JsonObject:
    return {
        "device_id": session.device_id,
        "device_name": session.device_name,
        "created_at": rfc3339(session.created_at),
        "last_used_at": rfc3339(session.used_at),
        "expires_at": rfc3339(session.expires_at),
        "current": current,
    }
