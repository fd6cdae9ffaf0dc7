"""Administration: ``python -m chalicelib.cli <command>``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import IMError


def init(options: argparse.Namespace) -> None:
    """Creates the signing key and the topics where missing; user `admin` from ADMIN_PASSWORD."""
    print(f"signing key {accounts.keys().ensure()}")
    created = accounts.ensure_topics(partitions=options.partitions, replication=options.replication)
    print("topics created: " + (", ".join(created) or "none, they were there"))
    if password := os.environ.get("ADMIN_PASSWORD"):
        print(f"user {accounts.auth().ensure_admin(password).username} is ready")


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
    first.add_argument("--partitions", type=int, default=12, help="of each topic")
    first.add_argument("--replication", type=int, default=1, help="of each topic")
    first.set_defaults(run=init)
    rotate = commands.add_parser("rotate-signing-key", help=rotate_signing_key.__doc__)
    rotate.set_defaults(run=rotate_signing_key)
    return parser


if __name__ == "__main__":
    sys.exit(main())
