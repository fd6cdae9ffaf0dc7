"""Keys of servers that provision users, from the command line."""

from __future__ import annotations

import argparse
from typing import Any

from chalicelib import bootstrap_identity as identity


def provisioning_key(options: argparse.Namespace) -> None:
    """Makes a server-to-server key and prints it, this once."""
    print(identity.key_administration().add(options.name, options.issuer))


def provisioning_keys(_options: argparse.Namespace) -> None:
    """Lists the keys, without their secrets."""
    for one in identity.key_administration().all():
        print(f"{one.id}  {one.created_at}  {one.issuer}  {one.name}")


def revoke_provisioning_key(options: argparse.Namespace) -> None:
    """Ends a key, within 36 seconds."""
    identity.key_administration().revoke(options.id)


def add_commands(commands: Any) -> None:
    """Adds these commands to a parser's."""
    for run in (provisioning_key, provisioning_keys, revoke_provisioning_key):
        parser = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        parser.set_defaults(run=run)
        if run is provisioning_key:
            parser.add_argument("name", help="for operators, for example crm")
            parser.add_argument("--issuer", required=True, help="whose users it provisions")
        elif run is revoke_provisioning_key:
            parser.add_argument("id", help="as `provisioning-keys` prints it")
