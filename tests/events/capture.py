"""Renews the event files from a run of the local cloud: `python -m tests.events.capture`.

SetupFunction's is written by hand: only CloudFormation invokes it, which the local cloud has not.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.e2e.system import start
from tests.events.files import masked, write
from tests.events.scene import TEMPLATE, events_of, play

# Where not the last event is the one to show.
_PATHS = {"ApiFunction": "/v1/conversations"}


def chosen(folder: Path, function: str) -> dict[str, Any]:
    """The event to keep of those that a function got."""
    events = events_of(folder, function)
    if path := _PATHS.get(function):
        events = [one for one in events if one["path"] == path]
    return events[-1]


def main() -> int:
    """Starts a local cloud, plays, writes the files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "events"
        system = start(Path(name) / "data", "embedded", f"--events {folder}")
        try:
            names = asyncio.run(play(system, folder))
        finally:
            system.stop()
        for function in TEMPLATE.functions:
            write(function, masked(chosen(folder, function), names))
    print(f"{len(TEMPLATE.functions)} event files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
