"""The composition root's part for what stands beside this system; see `bootstrap` for its rules."""

from __future__ import annotations

import os
import secrets
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts

if TYPE_CHECKING:
    from chalicelib.logic.acceptance import AcceptanceHook
    from chalicelib.logic.bot_tokens import BotTokens
    from chalicelib.logic.bots import BotService
    from chalicelib.logic.outbound import Outbound
    from chalicelib.logic.reports import ReportService
    from chalicelib.logic.roles import RoleService
    from chalicelib.logic.webhook_delivery import Post, WebhookDelivery
    from chalicelib.logic.webhook_fanout import Remembered, WebhookFanout
    from chalicelib.logic.webhooks import WebhookService
    from chalicelib.models import Bot, Webhook
    from chalicelib.repo.bots import BotRepository
    from chalicelib.repo.webhooks import WebhookRepository

_SENDING_SECONDS = 60.0  # every sending environment asks: docs/operations.md
_RARE_SECONDS = 5.0  # how old the copy of a document may be that is seldom asked for


@cache
def webhooks_table() -> WebhookRepository:
    """The receivers of operators."""
    from chalicelib.repo.webhooks import WebhookRepository

    return WebhookRepository(bootstrap.store())


@cache
def bots_table() -> BotRepository:
    """The bots."""
    from chalicelib.repo.bots import BotRepository

    return BotRepository(bootstrap.store())


@cache
def webhooks() -> WebhookService:
    """Administers receivers."""
    from chalicelib.bootstrap_admin import audit
    from chalicelib.logic.webhooks import WebhookService

    return WebhookService(
        webhooks=webhooks_table(),
        require=outbound().require,
        audit=audit(),
        clock=time.time,
        random_bytes=secrets.token_bytes,
    )


@cache
def bots() -> BotService:
    """Administers bots."""
    from chalicelib.bootstrap_admin import audit
    from chalicelib.logic.bots import BotService
    from chalicelib.logic.ids import new_secret

    return BotService(
        bots=bots_table(),
        register=accounts.auth().register,
        disconnect=bootstrap.presence().disconnect,
        require=outbound().require,
        audit=audit(),
        clock=time.time,
        new_token_secret=new_secret,
        random_bytes=secrets.token_bytes,
    )


@cache
def bot_tokens() -> BotTokens:
    """Establishes which bot is asking."""
    from chalicelib.logic.bot_tokens import BotTokens

    return BotTokens(bots_table(), accounts.bans_table(), bootstrap.directory().exists)


@cache
def webhook_fanout() -> WebhookFanout:
    """Finds receivers of messages."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.bootstrap_groups import audiences
    from chalicelib.logic.webhook_fanout import WebhookFanout

    return WebhookFanout(
        webhooks=_webhooks(),
        bots=_bots(),
        audiences=audiences(),
        reader=reader(),
        enqueue=bootstrap.outbox().post_webhooks,
    )


@cache
def webhook_delivery() -> WebhookDelivery:
    """Posts to receivers."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.logic.webhook_delivery import WebhookDelivery

    bootstrap.breakers()  # shared by the threads that post
    return WebhookDelivery(
        webhooks=_webhooks(),
        bots=_bots(),
        reader=reader(),
        post=_poster(),
        send=bootstrap.messages().send_message,
        clock=time.time,
    )


@cache
def reports() -> ReportService:
    """Takes and resolves reports."""
    from chalicelib.bootstrap_admin import audit
    from chalicelib.bootstrap_changes import readable
    from chalicelib.logic.reports import ReportService
    from chalicelib.repo.reports import ReportRepository

    return ReportService(
        reports=ReportRepository(bootstrap.store()),
        messages=readable(),
        exists=bootstrap.directory().exists,
        audit=audit(),
        clock=time.time,
    )


@cache
def roles() -> RoleService:
    """Gives roles."""
    from chalicelib.bootstrap_admin import audit
    from chalicelib.logic.roles import RoleService

    return RoleService(accounts.users_table(), accounts.sessions(), audit())


@cache
def acceptance() -> AcceptanceHook:
    """Has messages reviewed, where a function is configured."""
    from chalicelib.guards import ACCEPTANCE, around_calls
    from chalicelib.logic.acceptance import AcceptanceHook, AcceptancePolicy, parse_acceptance
    from chalicelib.logic.admission import Followed

    def read() -> str | None:
        return accounts.document("policy", "acceptance", max_age_seconds=_SENDING_SECONDS)

    def invoke(function: str, payload: Any, *, timeout_seconds: float) -> Any:
        from chalicelib.invoke import invoke

        guard = around_calls(bootstrap.breakers().get_breaker(ACCEPTANCE))
        return guard(lambda: invoke(function, payload, timeout_seconds=timeout_seconds))

    return AcceptanceHook(Followed(read, parse_acceptance, AcceptancePolicy()), invoke)


@cache
def outbound() -> Outbound:
    """Where webhooks may lead."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.outbound import Outbound, WebhookPolicy, parse_webhooks

    def read() -> str | None:
        return accounts.document("policy", "webhooks", max_age_seconds=_RARE_SECONDS)

    policy = Followed(read, parse_webhooks, WebhookPolicy())
    return Outbound(policy, os.environ.get("STAGE", "local"))


@cache
def _webhooks() -> Remembered[Webhook]:
    from chalicelib.logic.webhook_fanout import Remembered

    return Remembered(webhooks_table().all, time.time)


@cache
def _bots() -> Remembered[Bot]:
    from chalicelib.logic.webhook_fanout import Remembered

    return Remembered(bots_table().all, time.time)


def _poster() -> Post:
    """Posts; whoever does not answer is left alone for a while, by a circuit breaker of their own.

    Those are not among the breakers of what this system stands on: their policy is another, and
    their changes are nobody's business but the log's.
    """
    from chalicelib import breaker, coord
    from chalicelib import outbound as servers
    from chalicelib.guards import around_calls, is_answer

    breakers = breaker.new(
        breaker.Config(coord.parameter_path("breaker", "webhooks"), ignore=is_answer),
        breaker.with_config_centre(bootstrap.centre()),
    )
    allows = outbound().allows

    def post(target_id: str, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        answer: tuple[int, bytes] = around_calls(breakers.get_breaker(target_id))(
            lambda: servers.post(url, body, headers, allows=allows)
        )
        return answer

    return post
