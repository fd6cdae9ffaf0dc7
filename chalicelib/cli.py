"""Administration: ``python -m chalicelib.cli <command>``."""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib import bootstrap, cli_admin, cli_identity, cli_integration, cli_repair, metrics
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_tasks as tasks
from chalicelib.errors import IMError, UnavailableError
from chalicelib.mq import MqError


def init(options: argparse.Namespace) -> None:
    """Creates the signing key and the topics where missing; user `admin` from ADMIN_PASSWORD."""
    print(f"signing key {accounts.keys().ensure()}")
    created = accounts.ensure_topics(partitions=options.partitions, replication=options.replication)
    print("topics created: " + (", ".join(created) or "none, they were there"))
    if password := os.environ.get("ADMIN_PASSWORD"):
        print(f"user {accounts.auth().ensure_admin(password).username} is ready")


def worker(options: argparse.Namespace) -> None:
    """Carries out commands and listens in a long-lived process, beside the triggers or instead."""
    from chalicelib.broker import Worker
    from chalicelib.logs import new_logger

    new_logger()
    broker = tasks.broker()
    broker.on_startup(bootstrap.breakers)  # the threads of the groups share them
    counters: dict[str, metrics.Counters] = defaultdict(metrics.Counters)

    def report(group: str, stats: Mapping[str, Any]) -> None:
        names = {"messages": "Consumed", "errors": "ConsumerErrors", "rebalances": "Rebalances"}
        counts = {shown: stats[name] for name, shown in names.items()}
        counters[group].emit(counts, group=group)
        metrics.emit({"Lag": sum(stats["lag"].values())}, group=group)

    try:
        Worker(broker, prefix=tasks.group_prefix(), groups=options.group, on_stats=report).run(
            partitions=options.partitions, replication=options.replication
        )
    except (ValueError, MqError) as error:
        raise UnavailableError(str(error)) from error


def statistics(options: argparse.Namespace) -> None:
    """Prints how many messages a day had, by type of conversation."""
    day = options.day or datetime.now(UTC).date().isoformat()
    counts = tasks.statistics().of_day(day)
    for kind, count in counts.items():
        print(f"{day} {kind} {count}")
    print(f"{day} total {sum(counts.values())}")


def rotate_signing_key(_options: argparse.Namespace) -> None:
    """Signs access tokens with a new key from now on; those of the old key stay valid."""
    print(f"signing key {accounts.keys().rotate()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 1 when a service is away."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except IMError as error:
        print(f"lambchat {options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lambchat", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("init", help=init.__doc__)
    first.set_defaults(run=init)
    work = commands.add_parser("worker", help=worker.__doc__)
    work.add_argument("--group", action="append", default=[], help="only this one; repeatable")
    work.set_defaults(run=worker)
    for one in (first, work):
        one.add_argument("--partitions", type=int, default=12, help="of a topic to be created")
        one.add_argument("--replication", type=int, default=1, help="of a topic to be created")
    count = commands.add_parser("statistics", help=statistics.__doc__)
    count.add_argument("--day", help="YYYY-MM-DD, in UTC; today by default")
    count.set_defaults(run=statistics)
    rotate = commands.add_parser("rotate-signing-key", help=rotate_signing_key.__doc__)
    rotate.set_defaults(run=rotate_signing_key)
    cli_admin.add_commands(commands)
    cli_identity.add_commands(commands)
    cli_integration.add_commands(commands)
    cli_repair.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
