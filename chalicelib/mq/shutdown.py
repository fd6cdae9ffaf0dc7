"""SIGTERM ends what runs: consumers return from `subscribe`, and the program goes on to its end.

Without a consumer that runs the program exits; producers flush when it does (`atexit`). A handler
is installed only by the main thread and only where the process has none of its own.
"""

from __future__ import annotations

import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Protocol


class Running(Protocol):
    """A consumer."""

    def on_sigterm(self) -> bool:
        """Begins to end; True when the program goes on by itself afterwards."""


_open: weakref.WeakSet[Running] = weakref.WeakSet()


def install() -> None:
    """Ends the program in order at SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _handle)


def watch(one: Running) -> None:
    """Has a consumer told of SIGTERM."""
    _open.add(one)
    install()


def forget(one: Running) -> None:
    """It is closed already."""
    _open.discard(one)


def _handle(number: int, _frame: FrameType | None) -> None:
    ends = [one.on_sigterm() for one in list(_open)]  # each is told, whatever the first answers
    if not any(ends):
        sys.exit(128 + number)
