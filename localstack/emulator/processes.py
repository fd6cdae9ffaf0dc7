"""Children that do not outlive their parent."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> Callable[[], None] | None:
    """For ``preexec_fn``: the child is killed when its parent dies, even by SIGKILL.

    Source: prctl(2). Only Linux has it; elsewhere children end when their connections break.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor to handle
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return prepare
