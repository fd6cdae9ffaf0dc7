"""What operators do after a restore: docs/operations/recovery.md."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from chalicelib import bootstrap
from chalicelib import bootstrap_repair as repairs
from chalicelib import bootstrap_tasks as tasks
from chalicelib.errors import UnavailableError
from chalicelib.logic.repair import DEDUPLICATION_SECONDS, Finding
from chalicelib.models import unix_seconds
from chalicelib.mq import MqError

_TASKS = {"deliver": "fanout", "change": "tasks"}  # what logs and changes of messages are made of
_MARGIN_SECONDS = 3600  # a record must not become too old to be recognised while this runs


def check(options: argparse.Namespace) -> None:
    """Compares heads and places with the logs, and looks for holes; exit code 1 if there are any.

    It only reads, all of the tables `conversations`, `members` and `messages`.
    """
    if _print(repairs.repair().check(), options):
        sys.exit(1)


def rebuild(options: argparse.Namespace) -> None:
    """Derives heads or places from the logs, or logs from Kafka; stop the triggers first."""
    made: dict[str, Callable[[], Iterable[Finding]]] = {
        "heads": lambda: repairs.repair().rebuild_heads(),
        "places": lambda: repairs.repair().rebuild_places(),
    }
    if options.what in made:
        print(f"{_print(made[options.what](), options)} written")
        return
    print(f"{_carry_out_again(options)} commands carried out again")


def _carry_out_again(options: argparse.Namespace) -> int:
    from chalicelib.broker import repeat

    now = time.time()
    since = options.since if options.since is not None else now
    if not now - DEDUPLICATION_SECONDS + _MARGIN_SECONDS <= since < now:
        raise SystemExit(
            "lambchat rebuild messages: --since: expected a time of the last 7 days, "
            "for an older message would be stored twice"
        )
    bootstrap.breakers()
    try:
        return repeat(
            tasks.broker(),
            _TASKS,
            consumer_group=f"{tasks.group_prefix()}-rebuild-{int(now)}",
            since=since,
            idle_seconds=options.idle_seconds,
        )
    except MqError as error:
        raise UnavailableError(str(error)) from error


def add_commands(commands: Any) -> None:
    """Adds these commands to a parser's."""
    for run in (check, rebuild):
        parser = commands.add_parser(run.__name__, help=(run.__doc__ or "").partition("\n")[0])
        parser.set_defaults(run=run)
        parser.add_argument("--json", action="store_true", help="a JSON object a line")
        if run is rebuild:
            parser.add_argument("what", choices=("heads", "places", "messages"))
            parser.add_argument("--since", type=_time, help="messages: 2027-01-31T12:00:00Z")
            parser.add_argument(
                "--idle-seconds",
                type=float,
                default=20.0,
                help="messages: end when so long nothing came; 20 by default",
            )


def _print(findings: Iterable[Finding], options: argparse.Namespace) -> int:
    count = 0
    for one in findings:
        count += 1
        print(json.dumps(asdict(one)) if options.json else f"{one.conversation_id}  {one.text}")
    return count


def _time(text: str) -> float:
    try:
        return unix_seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
