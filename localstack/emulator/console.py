"""The children's log records, printed readably."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

_DULL = (
    "_aws",
    "level",
    "message",
    "timestamp",
    "location",
    "service",
    "xray_trace_id",
    "exception_name",
)
_LOUD = ("WARNING", "ERROR", "CRITICAL")
_COLOURS = {"dim": "2", "red": "31", "yellow": "33", "green": "32", "bold": "1"}


class Console:
    """Prints progress and log records; when quiet, of the records only what went wrong."""

    def __init__(self, *, quiet: bool = False, out: TextIO = sys.stdout) -> None:
        self._quiet = quiet
        self._out = out
        self._colour = out.isatty()

    def say(self, text: str) -> None:
        """A line of our own."""
        self._print(text)

    def child_line(self, name: str, line: str) -> None:
        """A line that a child printed: a JSON record, or anything."""
        record = _object(line) or {}
        match record.get("kind"):
            case "report":
                self._report(record)
            case "access":
                self._access(record)
            case "log":
                self._log(str(record.get("function", name)), str(record.get("message", "")))
            case _:
                self._plain(self._paint("dim", name), line)

    def _report(self, record: Mapping[str, Any]) -> None:
        if self._quiet and not record["error"]:
            return
        outcome = self._paint("red", record["error"]) if record["error"] else ""
        cold = self._paint("yellow", f"cold, init {record['init_ms']} ms") if record["cold"] else ""
        self._print(
            f"{_clock()} {self._paint('green', record['function'])} "
            f"{record['duration_ms']:.1f} ms, billed {record['billed_ms']} ms "
            f"{cold or 'warm'} {outcome}".rstrip()
        )

    def _access(self, record: Mapping[str, Any]) -> None:
        if self._quiet:
            return
        took = f" {record['duration_ms']:.1f} ms" if "duration_ms" in record else ""
        ids = f" connection_id={record['connection_id']}" if "connection_id" in record else ""
        what = f"{record['method']} {record['path']} {record['status']}"
        self._print(f"{_clock()} {what}{took}{self._paint('dim', ids)}")

    def _plain(self, who: str, text: str) -> None:
        if not self._quiet or "error" in text.lower():
            self._print(f"{who}  {text}")

    def _log(self, function: str, text: str) -> None:
        record = _object(text)
        if record is None:
            self._plain(f"{_clock()} {function}", text)
            return
        # A metric in CloudWatch's embedded format has no level.
        level = "metric" if "_aws" in record else str(record.get("level", ""))
        if self._quiet and level not in _LOUD:
            return
        fields = {key: value for key, value in record.items() if key not in _DULL}
        trace = str(fields.pop("trace_id", ""))[:8]
        failure = fields.pop("exception", "")
        rest = " ".join(f"{key}={value}" for key, value in fields.items() if value is not None)
        shown = self._paint("red", level) if level in _LOUD else level.lower()
        line = f"{_clock()} {function} {shown} {record.get('message', '')} {rest}"
        self._print(line.rstrip() + (self._paint("dim", f" trace={trace}") if trace else ""))
        if failure:
            self._print(str(failure))

    def _paint(self, colour: str, text: str) -> str:
        return f"\033[{_COLOURS[colour]}m{text}\033[0m" if self._colour else text

    def _print(self, text: str) -> None:
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except (BrokenPipeError, ValueError):  # nobody reads any more: go on without
            self._quiet = True


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _clock() -> str:
    return time.strftime("%H:%M:%S")
