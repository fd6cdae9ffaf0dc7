"""`python -m localstack.emulator up`: the whole local cloud."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from localstack.emulator.up import up


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m localstack.emulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("up", help="start everything and stay")
    command.add_argument("--name", default="emulator", help="what it is called in messages")
    command.add_argument("--profile", choices=("embedded", "full"), default="embedded")
    command.add_argument("--template", default="template.yaml")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--topic", action="append", default=[], help="beside those of triggers")
    command.add_argument("--static", default="", help="folder served at /")
    command.add_argument("--port", type=int, default=8080)
    command.add_argument("--ws-port", type=int, default=8081)
    command.add_argument("--data", default=".data")
    command.add_argument("--init", action="append", default=[], help="run after the deployment")
    command.add_argument("--health", default="", help="path that answers 200 when ready")
    command.add_argument(
        "--log",
        choices=("quiet", "normal", "debug"),
        default="normal",
        help="quiet: only what goes wrong; debug: also every request",
    )
    command.add_argument("--time-scale", type=float, default=1.0)
    command.add_argument("--function-concurrency", action="append", default=[])
    command.add_argument(
        "--preload", action="append", default=[], help="a module that most handlers import"
    )
    command.add_argument("--record", default="", help="a file for each function's calls of AWS")
    command.add_argument("--events", default="", help="a folder for each function's events")
    return parser.parse_args(arguments)


def main() -> int:
    """Runs the command line."""
    os.environ.setdefault("PYTHONPATH", os.getcwd())
    return asyncio.run(up(parse()))


if __name__ == "__main__":
    sys.exit(main())
