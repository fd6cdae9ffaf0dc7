"""Keeps what functions are invoked with: real events for tests and for `sam local invoke`."""

from __future__ import annotations

from pathlib import Path


class EventFiles:
    """Appends each event to a file of its function, a line each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def keep(self, function: str, payload: bytes) -> None:
        """Takes the event of an invocation."""
        with (self._folder / f"{function}.jsonl").open("ab") as file:
            file.write(payload.replace(b"\n", b" ") + b"\n")
