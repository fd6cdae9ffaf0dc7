"""SIGTERM closes what is open.

A handler is installed only in the main thread and only where the process has none of its own.
"""

from __future__ import annotations

import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Protocol


class Closable(Protocol):
    """A producer or consumer."""

    def on_sigterm(self) -> bool:
        """Closes, or begins to; True when the program ends by itself afterwards."""


_open: weakref.WeakSet[Closable] = weakref.WeakSet()


def watch(one: Closable) -> None:
    """Has a producer or consumer told of SIGTERM."""
    _open.add(one)
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _handle)


def forget(one: Closable) -> None:
    """It is closed already."""
    _open.discard(one)


def _handle(number: int, _frame: FrameType | None) -> None:
    # Consumers first: what their last callbacks send, the producers flush.
    ends = [one.on_sigterm() for one in list(_open)]
    if not any(ends):
        sys.exit(128 + number)
