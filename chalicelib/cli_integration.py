"""Webhooks, bots and roles from the command line; see `cli_admin`."""

from __future__ import annotations

import argparse
from typing import Any

from chalicelib import bootstrap_integration as integration
from chalicelib.cli_admin import context, user_id_of
from chalicelib.logic.ids import new_id
from chalicelib.logic.roles import ROLES
from chalicelib.models import Hears, WebhookEvent


def webhook(options: argparse.Namespace) -> None:
    """Adds a receiver of events and prints its id and its secret, this once."""
    events = options.event or [WebhookEvent.MESSAGE_STORED.value]
    made = integration.webhooks().add(
        context(),
        webhook_id=new_id(),
        url=options.url,
        events=events,
        description=options.description,
    )
    print(f"{made.id}  {made.secret}")


def webhooks(_options: argparse.Namespace) -> None:
    """Lists the receivers of events, without their secrets."""
    for one in integration.webhooks().all():
        state = "active" if one.active else "stopped"
        print(f"{one.id}  {one.created_at}  {state}  {','.join(one.events)}  {one.url}")


def rotate_webhook(options: argparse.Namespace) -> None:
    """Prints a receiver's new secret, this once; for a day the old one signs too."""
    print(integration.webhooks().rotate(context(), options.id).secret)


def remove_webhook(options: argparse.Namespace) -> None:
    """Removes a receiver of events."""
    integration.webhooks().remove(context(), options.id)


def bot(options: argparse.Namespace) -> None:
    """Makes a bot and prints its id, its token and its posts' secret, this once."""
    made = integration.bots().add(
        context(),
        user_id=new_id(),
        username=options.username,
        nickname=options.nickname,
        url=options.url,
        hears=Hears(options.hears),
    )
    print(f"{made.bot.user_id}  {made.token}  {made.bot.secret}")


def bots(_options: argparse.Namespace) -> None:
    """Lists the bots, without their tokens."""
    for one in integration.bots().all():
        print(f"{one.user_id}  {one.created_at}  {one.username}  {one.hears.value}  {one.url}")


def remove_bot(options: argparse.Namespace) -> None:
    """Ends a bot; its account and what it wrote stay."""
    integration.bots().remove(context(), options.id)


def roles(options: argparse.Namespace) -> None:
    """Gives a user these roles and no others; they have to log in again."""
    integration.roles().set(context(), user_id_of(options.user), options.role)


def add_commands(commands: Any) -> None:
    """Adds these commands to a parser's."""
    for run in (webhook, webhooks, rotate_webhook, remove_webhook, bot, bots, remove_bot, roles):
        parser = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        parser.set_defaults(run=run)
        if run is webhook:
            choices = [one.value for one in WebhookEvent]
            parser.add_argument("url")
            parser.add_argument("--event", action="append", choices=choices, help="repeatable")
            parser.add_argument("--description", default="")
        elif run is bot:
            parser.add_argument("username")
            parser.add_argument("--nickname", default="")
            parser.add_argument("--url", default="", help="where its messages are posted to")
            parser.add_argument("--hears", choices=[one.value for one in Hears], default="mentions")
        elif run is roles:
            parser.add_argument("user", help="an id, or @ and a user name")
            parser.add_argument(
                "role", nargs="*", choices=ROLES, default=[], help="none: takes all"
            )
        elif run in (rotate_webhook, remove_webhook, remove_bot):
            parser.add_argument("id", help="as the list prints it")
