"""Accounts that programs speak for: role admin only."""

from __future__ import annotations

from chalicelib import bootstrap_integration as integration
from chalicelib.errors import (
    InvalidFieldError,
    LimitReachedError,
    NotFoundError,
    UsernameTakenError,
)
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    obj,
    optional,
    string,
    timestamp,
)
from chalicelib.http.users import NICKNAME, USERNAME
from chalicelib.logic.bots import NewBot
from chalicelib.logic.outbound import MAX_URL_CHARACTERS, URL_PATTERN
from chalicelib.models import Bot, Hears

api = Api("bots")

_URL = string(
    max_length=MAX_URL_CHARACTERS,
    pattern=f"({URL_PATTERN})?",
    description="where its messages are posted to: https, a public address; empty for none",
)
_HEARS = string(
    choices=[one.value for one in Hears], description="which messages of its groups it gets"
)
_HEARS_BOTS = {**boolean(), "description": "whether it gets messages of other bots, too"}
_MEMBERS = {
    "user_id": string(),
    "username": string(),
    "url": string(),
    "hears": string(),
    "hears_bots": boolean(),
    "created_at": timestamp(),
    "created_by": string(),
}
BOT = obj("Bot", **_MEMBERS)
_TOKEN = obj("BotToken", user_id=string(), token=string())


@api.route(
    "GET",
    "/v1/admin/bots",
    summary="Every bot, at most 200, without token and secret.",
    role="admin",
    answer=obj("Bots", items=array(BOT)),
)
def all_bots(_call: Call) -> JsonObject:
    """All of them."""
    return {"items": [_shown(one) for one in integration.bots().all()]}


@api.route(
    "POST",
    "/v1/admin/bots",
    summary="Makes a bot and its account; its token, and the secret that its posts are signed "
    "with, are shown this once.",
    role="admin",
    body=obj(
        "NewBot",
        username=USERNAME,
        nickname=optional(NICKNAME),
        url=optional(_URL),
        hears=optional(_HEARS),
        hears_bots=optional(_HEARS_BOTS),
    ),
    status=201,
    answer=obj("AddedBot", **_MEMBERS, token=string(), secret=string()),
    idempotent=True,
    errors=(InvalidFieldError, LimitReachedError, UsernameTakenError),
)
def add(call: Call) -> JsonObject:
    """Makes one."""
    made = integration.bots().add(call.ctx, user_id=call.operation_id, **_chosen(call.body))
    return {**_shown(made.bot), "token": made.token, "secret": made.bot.secret}


@api.route(
    "PATCH",
    "/v1/admin/bots/{user_id}",
    summary="Changes a bot.",
    role="admin",
    body=obj(
        "BotChange",
        url=optional(_URL),
        hears=optional(_HEARS),
        hears_bots=optional(_HEARS_BOTS),
    ),
    answer=BOT,
    errors=(NotFoundError, InvalidFieldError),
)
def change(call: Call) -> JsonObject:
    """Changes one."""
    changes = _chosen(call.body)
    return _shown(integration.bots().change(call.ctx, call.path["user_id"], changes))


@api.route(
    "POST",
    "/v1/admin/bots/{user_id}/token",
    summary="Gives a bot another token; the one before ends at once, with its connections.",
    role="admin",
    status=201,
    answer=_TOKEN,
    errors=(NotFoundError,),
)
def renew_token(call: Call) -> JsonObject:
    """Makes another token."""
    made: NewBot = integration.bots().renew_token(call.ctx, call.path["user_id"])
    return {"user_id": made.bot.user_id, "token": made.token}


@api.route(
    "DELETE",
    "/v1/admin/bots/{user_id}",
    summary="Ends a bot: its token, its connections and its posts; its account and what it wrote "
    "stay.",
    role="admin",
    status=204,
)
def remove(call: Call) -> None:
    """Ends one."""
    integration.bots().remove(call.ctx, call.path["user_id"])


def _chosen(body: JsonObject) -> JsonObject:
    return {**body, "hears": Hears(body["hears"])} if "hears" in body else body


def _shown(one: Bot) -> JsonObject:
    return {
        "user_id": one.user_id,
        "username": one.username,
        "url": one.url,
        "hears": one.hears.value,
        "hears_bots": one.hears_bots,
        "created_at": one.created_at,
        "created_by": one.created_by,
    }
