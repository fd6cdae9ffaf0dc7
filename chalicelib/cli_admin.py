"""What operators do from the command line: the same services as the REST API's `/admin/…`."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any, TypeVar

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_admin as operators
from chalicelib.context import Context
from chalicelib.errors import UserNotFoundError
from chalicelib.logic.ids import new_id
from chalicelib.models import Ban, rfc3339, unix_seconds

T = TypeVar("T")
Row = Mapping[str, Any]

_PAGE = 100
_CELL_CHARACTERS = 60


def ban(options: argparse.Namespace) -> None:
    """Cuts a user off and keeps them out."""
    done = operators.bans().ban(
        context(), user_id_of(options.user), reason=options.reason, until=options.until
    )
    _print([_ban_row(done)], options)


def unban(options: argparse.Namespace) -> None:
    """Lets a user in again."""
    operators.bans().unban(context(), user_id_of(options.user))


def bans(options: argparse.Namespace) -> None:
    """Lists the bans that hold, the newest first."""
    found = _pages(lambda after: operators.bans().page(after=after, limit=_PAGE), options.limit)
    _print(map(_ban_row, found), options)


def broadcast(options: argparse.Namespace) -> None:
    """Sends a notice to everybody who is connected."""
    notice = operators.broadcasts().send(context(), options.content, notice_id=new_id())
    _print([asdict(notice)], options)


def dead_letters(options: argparse.Namespace) -> None:
    """Lists records that could not succeed, in the order of their places."""
    ctx = context()
    found = _pages(
        lambda after: operators.dead_letters().page(ctx, after=after, limit=_PAGE), options.limit
    )
    rows = (
        {
            "id": one.id,
            "name": one.name,
            "key": one.key,
            "parked_at": rfc3339(one.parked_at),
            "error": one.error,
            "args": one.args,
            "raw": one.raw.decode(errors="replace"),
            "trace_id": one.trace_id,
            "truncated": sorted(one.truncated),
        }
        for one in found
    )
    _print(rows, options)


def replay(options: argparse.Namespace) -> None:
    """Sends dead letters to their topics again, in the order given."""
    ctx = context()
    for letter_id in options.id:
        letter = operators.dead_letters().replay(ctx, letter_id)
        _print([{"id": letter.id, "name": letter.name, "key": letter.key}], options)


def audit_log(options: argparse.Namespace) -> None:
    """Lists what operators did, the newest first."""
    found = _pages(lambda before: operators.audit().page(before=before, limit=_PAGE), options.limit)
    _print(map(asdict, found), options)


def counters(options: argparse.Namespace) -> None:
    """Says how the system is doing: accounts, connections, messages, dead letters, breakers."""
    found = operators.counters().read(options.days)
    rows = [("accounts", found.accounts), ("connections", found.connections)]
    for day, counts in found.messages.items():
        rows.append((f"messages {day}", sum(counts.values())))
        rows += [(f"messages {day} {kind}", count) for kind, count in counts.items()]
    for topic, (count, complete) in found.dead_letters.items():
        rows.append((f"dead letters {topic}{'' if complete else ', at least'}", count))
    for name, processes in found.open_breakers.items():
        rows.append((f"breaker {name} open, processes", len(processes)))
    _print(({"counter": name, "value": value} for name, value in rows), options)


def add_commands(commands: Any) -> None:
    """Adds these commands to a parser's."""

    def add(run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        name = run.__name__.replace("_", "-")
        parser: argparse.ArgumentParser = commands.add_parser(name, help=run.__doc__)
        parser.set_defaults(run=run)
        parser.add_argument("--json", action="store_true", help="a JSON object a line")
        return parser

    banning = add(ban)
    for one in (banning, add(unban)):
        one.add_argument("user", help="an id, or @ and a user name")
    banning.add_argument("--reason", default="", help="for operators; the user is not told")
    banning.add_argument("--until", type=_time, help="2027-01-31T12:00:00Z; else for good")
    add(broadcast).add_argument("content")
    add(counters).add_argument("--days", type=_count, default=7, help="of messages; 7 by default")
    add(replay).add_argument("id", nargs="+", help="as `dead-letters` prints it")
    for run in (bans, dead_letters, audit_log):
        add(run).add_argument("--limit", type=_count, default=_PAGE, help="at most so many lines")


def context() -> Context:
    """Of what is done here; the actor of the audit log is who runs this."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container may have a number and no name
        account = str(os.getuid())
    return Context(user=f"cli:{account}")


def user_id_of(given: str) -> str:
    """No user name has an @, so it cannot be taken for another user's id."""
    if not given.startswith("@"):
        return given
    user = accounts.users_table().by_name(given[1:])
    if user is None:
        raise UserNotFoundError(f"there is no user {given[1:]}")
    return user.id


def _pages(page: Callable[[Any], tuple[list[T], Any]], limit: int) -> Iterable[T]:
    def items() -> Iterable[T]:
        position = None
        while True:
            found, position = page(position)
            yield from found
            if position is None:
                return

    return islice(items(), limit)


def _time(text: str) -> float:
    try:
        return unix_seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text!r}")
    return int(text)


def _ban_row(one: Ban) -> Row:
    until = None if one.until is None else rfc3339(one.until)
    return {**asdict(one), "banned_at": rfc3339(one.banned_at), "until": until}


def _print(rows: Iterable[Row], options: argparse.Namespace) -> None:
    if options.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    lines = list(rows)
    if not lines:
        return
    cells = [list(lines[0]), *([_cell(value) for value in row.values()] for row in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    """One line, without what would move a terminal's cursor."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    shown = "".join(one if one.isprintable() else "\ufffd" for one in text)
    return shown if len(shown) <= _CELL_CHARACTERS else shown[: _CELL_CHARACTERS - 1] + "…"
